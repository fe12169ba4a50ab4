import { spawnSync } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@keepsake/testkit";
import { afterAll, describe, expect, it } from "vitest";
import Database from "better-sqlite3";
import { git, makeMemory } from "./support/agent-memory.js";
import { keepsakeCase } from "./support/keepsake-case.js";
import { memoryState } from "./support/memory-state.js";

const run = (program: string, ...args: readonly string[]): boolean => spawnSync(program, [...args]).status === 0;
const mounted: string[] = [];

/** Another place in the tree: renames over its edge are refused, be the file system the same or not. */
function mount(kind: "bind" | "tmpfs", from: string, at: string): boolean {
  const done = kind === "bind" ? run("mount", "--bind", from, at) : run("mount", "-t", "tmpfs", "none", at);
  if (done) mounted.push(at);
  return done;
}

function unmountAll(): void {
  for (const at of mounted.splice(0).reverse()) run("umount", at);
}

const probe = await tempDir();
const mayMount = process.getuid?.() === 0 && mount("bind", probe.path, probe.path);
unmountAll();
await probe[Symbol.asyncDispose]();
if (!mayMount) console.log("Mounts are not allowed here: a restore over a mount point is not tested.");

describe.runIf(mayMount)("a memory directory that is a mount point", () => {
  afterAll(unmountAll);

  it.each(["bind", "tmpfs"] as const)(
    "comes back exactly, by a %s mount, and can be undone",
    async (kind) => {
      await using box = await keepsakeCase();
      const { memory, keepsake, temp } = box;
      try {
        await mkdir(temp.join("elsewhere"));
        expect(mount(kind, temp.join("elsewhere"), memory)).toBe(true);
        (await makeMemory(memory, { rows: 5, commits: 1 })).close();
        const then = await memoryState(memory);
        const { record } = await keepsake.snapshot({ agent: "ana" });
        await rm(join(memory, "topics"), { recursive: true });
        await writeFile(join(memory, "new.md"), "new");
        const database = new Database(join(memory, "long_term.sqlite"));
        database.exec("DELETE FROM memories");
        database.close();
        await git(memory, "commit", "-q", "-am", "later");
        const now = await memoryState(memory);
        const { preSnapshot = "" } = await keepsake.restore({ agent: "ana", ref: record.id });
        expect(await memoryState(memory)).toEqual(then);
        await keepsake.restore({ agent: "ana", ref: preSnapshot, only: ["long_term.sqlite", "topics"] });
        const part = await memoryState(memory);
        expect(part.databases).toEqual(now.databases);
        expect(Object.keys(part.tree).filter((path) => path.startsWith("topics"))).toEqual([]);
        await keepsake.restore({ agent: "ana", ref: preSnapshot });
        expect(await memoryState(memory)).toEqual(now);
      } finally {
        unmountAll();
      }
    },
    120_000,
  );

  it("is refused with E_READ_ONLY where nothing can be written, and stays as it is", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    try {
      await writeFile(join(memory, "note.md"), "then");
      const { record } = await keepsake.snapshot({ agent: "ana" });
      await writeFile(join(memory, "note.md"), "now");
      expect(mount("bind", memory, memory)).toBe(true);
      expect(run("mount", "-o", "remount,ro,bind", memory)).toBe(true);
      await expect(keepsake.restore({ agent: "ana", ref: record.id })).rejects.toMatchObject({ code: "E_READ_ONLY" });
      expect(await readFile(join(memory, "note.md"), "utf8")).toBe("now");
    } finally {
      unmountAll();
    }
  });

  it("holds another mount inside: a folder of notes and a database on a file system of their own", async () => {
    await using box = await keepsakeCase();
    const { memory, keepsake } = box;
    try {
      await mkdir(join(memory, "inner"));
      expect(mount("tmpfs", "none", join(memory, "inner"))).toBe(true);
      (await makeMemory(join(memory, "inner"), { rows: 5 })).close();
      await writeFile(join(memory, "outer.md"), "outer");
      const then = await memoryState(memory);
      const { record } = await keepsake.snapshot({ agent: "ana" });
      await rm(join(memory, "inner", "topics"), { recursive: true });
      const database = new Database(join(memory, "inner", "long_term.sqlite"));
      database.exec("DELETE FROM memories");
      database.close();
      await writeFile(join(memory, "outer.md"), "another");
      await keepsake.restore({ agent: "ana", ref: record.id });
      expect(await memoryState(memory)).toEqual(then);
    } finally {
      unmountAll();
    }
  }, 120_000);
});
