import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { memoryLocks, memoryPlugin, memoryStore } from "@keepsake/memory";
import { openKeepsake } from "@keepsake/standard";
import {
  collect,
  lockConformance,
  pluginConformance,
  runConformance,
  storeConformance,
  tempDir,
  writeTree,
} from "@keepsake/testkit";
import { describe, expect, it } from "vitest";

const module = fileURLToPath(new URL("../packages/memory/dist/plugin.js", import.meta.url));

runConformance(
  [
    ...storeConformance({ create: () => ({ store: memoryStore(), reopen: null, boundedMemory: false }) }),
    ...lockConformance({
      create() {
        const locks = memoryLocks();
        return { locks, other: null, lose: (name) => locks.lose(name) };
      },
    }),
    ...pluginConformance({ create: () => ({ plugin: memoryPlugin, module }) }),
  ],
  { describe, it },
);

describe("a Keepsake whose store and locks are in memory", () => {
  const config = { stores: { primary: { use: "memory" } }, lock: { use: "memory" } };

  it("keeps snapshots until it ends, and writes none to the disk", async () => {
    await using dir = await tempDir();
    await writeTree(dir.path, { "ana/note.md": "hello\n" });
    const agent = { agent: "ana", memory: dir.join("ana") };
    const options = { stateRoot: dir.join("state"), config };
    await using keepsake = await openKeepsake(options);
    const { record } = await keepsake.snapshot(agent);
    await writeTree(dir.path, { "ana/note.md": "changed\n" });
    await keepsake.restore({ ...agent, ref: record.id });
    expect(await readFile(dir.join("ana/note.md"), "utf8")).toBe("hello\n");
    expect(await keepsake.verify({ ...agent, ref: record.id, deep: true })).toMatchObject({ ok: true });
    const { body } = await keepsake.store("primary").get(record.bundlePath);
    expect((await collect(body)).length).toBe(record.bundleSizeBytes);
    const files = await readdir(dir.join("state"), { recursive: true }).catch(() => []);
    expect(files.filter((name) => name.includes(record.id) || name.endsWith(".lock"))).toEqual([]);

    await using another = await openKeepsake(options);
    expect((await another.list({})).snapshots).toEqual([]);
  });

  it("is told of an option that there is not", async () => {
    const wrong = { ...config, stores: { primary: { use: "memory", root: "x" } } };
    await expect(openKeepsake({ config: wrong })).rejects.toMatchObject({ code: "E_CONFIG" });
  });
});
