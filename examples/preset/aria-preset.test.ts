import { readFile, rm, writeFile } from "node:fs/promises";
import type { Plugin } from "@keepsake/core";
import { openKeepsake } from "@keepsake/standard";
import { tempDir, writeTree } from "@keepsake/testkit";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";

const { default: plugin } = (await import(new URL("./aria-preset.mjs", import.meta.url).href)) as { default: Plugin };

describe("the aria preset", () => {
  it("finds the memory, divides it, and brings the state back", async () => {
    await using dir = await tempDir();
    const home = dir.join("home");
    await writeTree(`${home}/.aria/agents/ana`, {
      "tasks.md": "- water the plants\n",
      "cache/big.tmp": "x",
      "run/cursor.json": '{"at":17}',
      "brain/.keep": "",
    });
    const memory = `${home}/.aria/agents/ana`;
    new Database(`${memory}/brain/facts.db`).exec("CREATE TABLE fact (text)").close();
    const env = { ...process.env, HOME: home };
    await using keepsake = await openKeepsake({
      plugins: [plugin],
      stateRoot: dir.join("state"),
      env,
      config: { preset: "aria", redaction: { default: false } },
    });
    const { manifest, record } = await keepsake.snapshot({ agent: "ana" });
    expect(record.complete).toBe(true);
    const paths = manifest?.artifacts.map((artifact) => artifact.pathInBundle) ?? [];
    expect(paths).toContain("sqlite/facts.db");
    expect(paths).toContain("state/cursor.json");
    expect(paths).toContain("memory_files/tasks.md");
    expect(paths.filter((path) => path.includes("cache/big") || path.startsWith("memory_files/run/cursor"))).toEqual(
      [],
    );

    await writeFile(`${memory}/run/cursor.json`, '{"at":99}');
    await rm(`${memory}/brain/facts.db`);
    const incomplete = await keepsake.snapshot({ agent: "ana" });
    expect(incomplete.record.complete).toBe(false);
    await keepsake.restore({ agent: "ana", ref: record.id });
    expect(JSON.parse(await readFile(`${memory}/run/cursor.json`, "utf8"))).toEqual({ at: 17 });
  });
});
