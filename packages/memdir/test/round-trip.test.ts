import { execFileSync } from "node:child_process";
import {
  chmod,
  lutimes,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { type TempDir, tempDir, treeDigest, type TreeSpec, writeTree } from "@keepsake/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memdir } from "../src/index.js";
import { bytesOf, capture, restore, stageRestore } from "./bundle.js";

let temp: TempDir;
let memory: string;
beforeEach(async () => {
  temp = await tempDir();
  memory = temp.join("memory");
});
afterEach(async () => temp[Symbol.asyncDispose]());

const OLD = 1_600_000_000_000;

const FULL: TreeSpec = [
  ["note.md", { file: "a note\n", mode: 0o640, mtimeMs: OLD }],
  ["empty.md", ""],
  ["big.bin", Buffer.alloc(700_000, 7)],
  ["deep/er/still/here.txt", { file: "deep", mode: 0o000, mtimeMs: OLD + 1 }],
  ["no extension", "x"],
  ["run.sh", { file: "#!/bin/sh\n", mode: 0o4755 }],
  ["empty folder", { directory: true, mode: 0o711, mtimeMs: OLD }],
  ["closed", { directory: true, mode: 0o555, mtimeMs: OLD }],
  ["closed/inside.md", "inside"],
  ["link", { link: "note.md", mtimeMs: OLD }],
  ["deep/up", { link: "../note.md" }],
  ["dangling", { link: "not/there" }],
  ["link to folder", { link: "deep" }],
  ["Notes", "capital"],
  ["notes", "small"],
  ["Folder/a.md", "1"],
  ["folder/a.md", "2"],
  ["%41 literal", "percent"],
  ["A literal", "letter"],
  ["back\\slash", "b"],
  ["new\nline", "n"],
  ["caf\u00e9", "composed"],
  ["cafe\u0301", "decomposed"],
  [Buffer.from([0x66, 0xff, 0xfe]), "no UTF-8"],
  [Buffer.from([0x64, 0xff, 0x2f, 0x78]), "below no UTF-8"],
  [Buffer.from("odd-link"), { link: Buffer.from([0x66, 0xff, 0xfe]) }],
  [".hidden/.deeper", "hidden"],
  [".keepsake-notes.md", "a user's own"],
  ["C:drive", "d"],
];

describe("a memory directory", () => {
  it("comes back as it was: bytes, names, modes, times, links, empty folders; and what came later is gone", async () => {
    await writeTree(memory, FULL);
    await utimes(join(memory, "empty.md"), 1_700_000_000.123456, 1_700_000_000.123456);
    const before = await treeDigest(memory);
    const bundle = await capture(memdir(), memory, temp.path);
    expect(bundle.omitted).toEqual([]);
    expect(bundle.fences[0]).toBe(bundle.fences[1]);

    await chmod(join(memory, "closed"), 0o755);
    await rm(join(memory, "closed"), { recursive: true });
    await writeFile(join(memory, "note.md"), "changed");
    await writeFile(join(memory, "later.md"), "later");
    await mkdir(join(memory, "later/dir"), { recursive: true });
    await chmod(join(memory, "deep/er/still/here.txt"), 0o777);
    await rm(join(memory, "deep/up"));
    await mkdir(join(memory, "deep/up"));
    await writeFile(join(memory, "deep/up/x"), "x");
    await rm(join(memory, "folder"), { recursive: true });
    await symlink("Folder", join(memory, "folder"));
    await restore(memdir(), bundle, memory, temp.path);
    expect(await treeDigest(memory)).toEqual(before);

    const again = await restore(memdir(), bundle, memory, temp.path);
    expect(again.changes).toEqual([]);
    expect(again.data).toEqual({ steps: [] });
  });

  it("comes back where nothing is left, its folder neither", async () => {
    await writeTree(memory, FULL);
    const before = await treeDigest(memory);
    const bundle = await capture(memdir(), memory, temp.path);
    await rm(memory, { recursive: true });
    await restore(memdir(), bundle, memory, temp.path);
    expect(await treeDigest(memory)).toEqual(before);
    await restore(memdir(), bundle, temp.join("else/where/memory"), temp.path);
    expect(await treeDigest(temp.join("else/where/memory"))).toEqual(before);
    expect(await readdir(temp.join("else"))).toEqual(["where"]);
  });

  it("comes back in one step for each new folder at its top, as it was, and goes with it when that is taken back", async () => {
    await writeTree(memory, FULL);
    const before = await treeDigest(memory);
    const bundle = await capture(memdir(), memory, temp.path);
    await chmod(join(memory, "closed"), 0o755);
    for (const folder of ["deep", "closed", "empty folder"]) await rm(join(memory, folder), { recursive: true });
    const without = await treeDigest(memory);
    const { session, plan, sweep } = await stageRestore(memdir(), bundle, memory, temp.path);
    const puts = (plan.data["steps"] as { do: string; live: unknown }[]).filter((step) => step.do === "put");
    const tops = ["closed", "deep", "empty folder"].map((name) => join(memory, name));
    expect(puts.map(({ live }) => live)).toEqual(tops);
    expect(plan.changes.map(({ path }) => path).filter((path) => path.startsWith("deep/"))).toHaveLength(4);
    await session.commit(plan);
    await session.commit(plan);
    expect(await treeDigest(memory)).toEqual(before);
    await session.rollback(plan);
    await session.rollback(plan);
    expect(await treeDigest(memory)).toEqual(without);
    await sweep();
    await restore(memdir(), bundle, memory, temp.path);
    expect(await treeDigest(memory)).toEqual(before);
  });

  it("comes back around what another source brings into a new folder", async () => {
    await writeTree(memory, { "both/ours.md": "ours", "both/deep/er.md": "deeper", "alone/a.md": "a" });
    const bundle = await capture(memdir(), memory, temp.path);
    await rm(memory, { recursive: true });
    const claims = [{ path: join(memory, "both/deep/theirs.db"), scope: "path" as const }];
    const { session, plan, sweep } = await stageRestore(memdir(), bundle, memory, temp.path, claims);
    // The other plan is carried out first.
    await writeTree(memory, { "both/deep/theirs.db": "theirs" });
    await session.commit(plan);
    await sweep();
    expect(await readFile(join(memory, "both/deep/theirs.db"), "utf8")).toBe("theirs");
    expect(await readFile(join(memory, "both/deep/er.md"), "utf8")).toBe("deeper");
    const puts = (plan.data["steps"] as { do: string; live: string }[]).filter((step) => step.do === "put");
    const lives = ["alone", "both/deep/er.md", "both/ours.md"].map((name) => join(memory, name));
    expect(puts.map(({ live }) => live)).toEqual(lives);
  });

  it("is the same to the microsecond, where a Date would lose the fraction", async () => {
    await writeTree(memory, { "a.md": "a" });
    execFileSync("touch", ["-d", "2024-05-06 07:08:09.123456789 UTC", join(memory, "a.md")]);
    const bundle = await capture(memdir(), memory, temp.path);
    const { mtimeMs } = await stat(join(memory, "a.md"));
    expect(new Date(mtimeMs).getTime()).not.toBe(mtimeMs);
    await rm(join(memory, "a.md"));
    await restore(memdir(), bundle, memory, temp.path);
    const back = await stat(join(memory, "a.md"), { bigint: true });
    expect(back.mtimeNs / 1000n).toBe(1714979289123456n);
    expect((await restore(memdir(), bundle, memory, temp.path)).changes).toEqual([]);
  });

  it("that is as the bundle says needs nothing done, whatever the nanoseconds of its times", async () => {
    await writeTree(
      memory,
      Object.fromEntries(Array.from({ length: 300 }, (_none, at) => [`d${String(at)}/a.md`, "a"])),
    );
    const ns = (at: number): string => String(at * 3331 + 7).padStart(9, "0");
    const touch = Array.from({ length: 300 }, (_none, at) => {
      const times = `2026-01-02 03:04:05.${ns(at)}`;
      return ["touch", "-d", `'${times}'`, join(memory, `d${String(at)}/a.md`), join(memory, `d${String(at)}`)].join(
        " ",
      );
    });
    execFileSync("sh", ["-c", touch.join(";")]);
    const bundle = await capture(memdir(), memory, temp.path);
    const { plan, sweep } = await stageRestore(memdir(), bundle, memory, temp.path);
    await sweep();
    expect(plan.changes).toEqual([]);
  });

  it("is untouched by a dry run, and wholly the old one after a rollback", async () => {
    await writeTree(memory, FULL);
    const bundle = await capture(memdir(), memory, temp.path);
    await writeFile(join(memory, "later.md"), "later");
    await rm(join(memory, "notes"));
    await chmod(join(memory, "closed"), 0o700);
    await lutimes(join(memory, "closed"), OLD / 1000, OLD / 1000);
    const changed = await treeDigest(memory);
    const { session, plan, sweep } = await stageRestore(memdir(), bundle, memory, temp.path);
    expect(await treeDigest(memory)).toEqual(changed);
    expect(plan.changes).toEqual([
      { action: "create", path: "%6E%6F%74%65%73" },
      { action: "set_attributes", path: "closed" },
      { action: "delete", path: "later.md" },
    ]);
    await session.commit(plan);
    await session.commit(plan);
    await session.rollback(plan);
    await session.rollback(plan);
    await sweep();
    expect(await treeDigest(memory)).toEqual(changed);
  });

  it("does not touch a file that is already right", async () => {
    await writeTree(memory, { "same.md": "same", "other.md": "other" });
    const bundle = await capture(memdir(), memory, temp.path);
    const { ino, ctimeMs } = await stat(join(memory, "same.md"));
    await writeFile(join(memory, "other.md"), "OTHER");
    const plan = await restore(memdir(), bundle, memory, temp.path);
    expect(plan.changes).toEqual([{ action: "replace", path: "other.md" }]);
    expect(await stat(join(memory, "same.md"))).toMatchObject({ ino, ctimeMs });
  });

  it("is found through a link, and stays one", async () => {
    await writeTree(temp.join("real"), { "a.md": "a", "mine.db": "claimed" });
    await symlink("real", memory);
    const claims = [{ path: join(memory, "mine.db"), scope: "path" as const }];
    const bundle = await capture(memdir(), memory, temp.path, claims);
    expect(bundle.entries.map(({ path }) => path)).toEqual(["a.md"]);
    await rm(temp.join("real/a.md"));
    await restore(memdir(), bundle, memory, temp.path, claims);
    expect(await readFile(temp.join("real/a.md"), "utf8")).toBe("a");
    expect(await readFile(temp.join("real/mine.db"), "utf8")).toBe("claimed");
    expect(await readlink(memory)).toBe("real");
  });

  it("is absent when it is not there", async () => {
    const bundle = await capture(memdir({ required: true }), memory, temp.path);
    expect(bundle.absent).toEqual([{ type: "absent", path: ".", required: true }]);
    await writeFile(memory, "a file");
    await expect(capture(memdir(), memory, temp.path)).rejects.toMatchObject({ code: "E_CONFIG" });
  });

  it("of a random shape comes back over another random shape", async () => {
    const raw = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom("a", "A", "b", "ab", "%61", "é", "e\u0301", ".x", "n\n").map((s) => Buffer.from(s)),
      },
      fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
    );
    const name = raw.filter((b) => !b.includes(0) && !b.includes(0x2f) && ![".", ".."].includes(b.toString("latin1")));
    const mtimeMs = fc.integer({ min: 0, max: 4e12 });
    const node = fc.oneof(
      fc.record({
        file: fc.uint8Array({ maxLength: 40 }),
        mode: fc.constantFrom(0o644, 0o600, 0o444, 0o000, 0o755),
        mtimeMs,
      }),
      fc.record({ directory: fc.constant(true as const), mode: fc.constantFrom(0o755, 0o700, 0o555, 0o311), mtimeMs }),
      fc.record({ link: fc.constantFrom("a", "b/x", "./A", "%61"), mtimeMs }),
    );
    const tree = fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), node), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(tree, tree, async (first, second) => {
        const dir = temp.join(`run-${String(runs++)}`);
        await grow(join(dir, "memory"), first);
        const bundle = await capture(memdir(), join(dir, "memory"), dir);
        const before = await treeDigest(join(dir, "memory"));
        await grow(join(dir, "other"), second);
        const other = await treeDigest(join(dir, "other"));
        const { session, plan, sweep } = await stageRestore(memdir(), bundle, join(dir, "other"), dir);
        await session.commit(plan);
        expect(await treeDigest(join(dir, "other"))).toEqual(before);
        await session.rollback(plan);
        expect(await treeDigest(join(dir, "other"))).toEqual(other);
        await session.commit(plan);
        await session.finish(plan);
        await sweep();
        expect(await treeDigest(join(dir, "other"))).toEqual(before);
      }),
      { numRuns: 60 },
    );
  });
});

let runs = 0;

/** Writes what fits: a path below what is no folder is left out. */
async function grow(dir: string, nodes: readonly (readonly [readonly Buffer[], object])[]): Promise<void> {
  const types = new Map<string, string>();
  const fitting: [Buffer, never][] = [];
  for (const [parts, node] of nodes) {
    const keys = parts.map((_part, depth) =>
      Buffer.concat(parts.slice(0, depth + 1).flatMap((b) => [b, Buffer.from("/")])).toString("latin1"),
    );
    const own = keys.at(-1) ?? "";
    if (types.has(own) || keys.slice(0, -1).some((key) => (types.get(key) ?? "directory") !== "directory")) continue;
    for (const key of keys.slice(0, -1)) types.set(key, "directory");
    types.set(own, "directory" in node ? "directory" : "leaf");
    fitting.push([Buffer.from(own.slice(0, -1), "latin1"), node as never]);
  }
  // Folders' attributes come last, and the deepest first.
  fitting.sort(([a], [b]) => a.compare(b));
  await writeTree(dir, fitting);
}

describe("a path in the bundle", () => {
  it("is readable everywhere: a name that another system takes for its neighbour's is escaped", async () => {
    await writeTree(memory, FULL);
    const bundle = await capture(memdir(), memory, temp.path);
    const paths = bundle.entries.map(({ path }) => path);
    expect(paths).toContain("Notes");
    expect(paths).toContain("%6E%6F%74%65%73");
    expect(paths).toContain("%66%6F%6C%64%65%72/%61.%6D%64");
    expect(paths).toContain("f%FF%FE");
    expect(paths).toContain("%2541 literal");
    expect(bundle.entries.find(({ path }) => path === "odd-link")?.meta).toMatchObject({
      linkTarget: "f%FF%FE",
      nameEncoding: "percent",
    });
    expect((await bytesOf(bundle, "%6E%6F%74%65%73")).toString()).toBe("small");
  });
});
