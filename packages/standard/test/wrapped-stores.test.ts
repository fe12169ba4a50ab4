import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { definePlugin, KeepsakeError, storeProvider, type BundleStore } from "@keepsake/core";
import { faultyStore, memoryStore, tempDir, treeDigest } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { openKeepsake } from "../src/open-keepsake.js";

const log = { level: "silent" as const };
const agents = { "*": { memory: "./{agent}" } };

describe("stores of the configuration that are put around others", () => {
  it("take a snapshot and give it back, through all of them, over a folder", async () => {
    await using dir = await tempDir();
    await mkdir(dir.join("ana"));
    await writeFile(dir.join("ana/a.md"), "one\n");
    const before = await treeDigest(dir.join("ana"));
    const stores = {
      primary: { use: "retry", store: "logged", attempts: 5 },
      logged: { use: "logging", store: "limited" },
      limited: { use: "limit", store: "bounded", operations: 1, up_bytes_per_sec: 50_000_000 },
      bounded: { use: "timeout", store: "disk", call_secs: 30 },
      disk: { use: "local-fs", root: "./kept" },
    };
    await using keepsake = await openKeepsake({ config: { agents, stores, log }, cwd: dir.path, env: {} });
    const { record } = await keepsake.snapshot({ agent: "ana" });
    expect(await readdir(dir.join("kept"), { recursive: true })).toEqual(
      expect.arrayContaining([expect.stringContaining(`${record.id}.json`)]),
    );
    await rm(dir.join("ana/a.md"));
    await keepsake.restore({ agent: "ana", ref: record.id });
    expect(await treeDigest(dir.join("ana"))).toEqual(before);
  });

  it("make a snapshot succeed whose first attempts fail, and without retries it fails", async () => {
    const flaky = (): BundleStore => {
      const fail = new KeepsakeError("E_IO", "The line broke.");
      return faultyStore(memoryStore(), [
        { on: "put", call: 1, fail },
        { on: "put", call: 3, fail, when: "after" },
        { on: "list", call: 1, fail },
      ]);
    };
    const plugin = definePlugin({
      name: "flaky",
      api: 1,
      providers: [storeProvider("flaky", { create: flaky })],
    });
    const snapshot = async (stores: Record<string, { use: string; store?: string; first_delay_secs?: number }>) => {
      await using dir = await tempDir();
      await mkdir(dir.join("ana"));
      await writeFile(dir.join("ana/a.md"), "one\n");
      const config = { agents, stores, log, plugins: [plugin] };
      await using keepsake = await openKeepsake({ config, cwd: dir.path, env: {} });
      await keepsake.snapshot({ agent: "ana" });
      return (await keepsake.list({ agent: "ana" })).snapshots.length;
    };
    await expect(snapshot({ primary: { use: "flaky" } })).rejects.toMatchObject({ code: "E_IO" });
    expect(
      await snapshot({ primary: { use: "retry", store: "far", first_delay_secs: 0.001 }, far: { use: "flaky" } }),
    ).toBe(1);
  });
});
