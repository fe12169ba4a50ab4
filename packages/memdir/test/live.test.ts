import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFile,
  chmod,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { BundleEntry, PathClaim } from "@keepsake/core";
import { parseAgentId, parseTenantId } from "@keepsake/core";
import { type TempDir, tempDir, treeDigest, writeTree } from "@keepsake/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memdir, memdirPlugin } from "../src/index.js";
import { bytesOf, capture, restore, stageRestore, type TestBundle } from "./bundle.js";

let temp: TempDir;
let memory: string;
beforeEach(async () => {
  temp = await tempDir();
  memory = temp.join("memory");
});
afterEach(async () => temp[Symbol.asyncDispose]());

const paths = ({ entries }: TestBundle): string[] => entries.map(({ path }) => path).sort();
const why = ({ omitted }: TestBundle): unknown => Object.fromEntries(omitted.map(({ path, reason }) => [path, reason]));

describe("what is left out is told", () => {
  it("sockets, FIFOs, links that lead out, the excluded, the too large; none is waited for", async () => {
    await writeTree(memory, {
      "a.md": "a",
      "node_modules/x/y.js": "y",
      "deep/b.tmp": "b",
      "large.bin": Buffer.alloc(2000),
      absolute: { link: join(memory, "a.md") },
      "deep/out": { link: "../../elsewhere" },
      "deep/in": { link: "../a.md" },
      "to-root": { link: "." },
      "deep/through": { link: "in-dir/../x" },
      "deep/in-dir": { link: ".." },
      ".keepsake-left-by-a-crash/x": "x",
    });
    execFileSync("mkfifo", [join(memory, "fifo")]);
    const server = createServer().listen(join(memory, "socket"));
    await once(server, "listening");
    const source = memdir({ exclude: ["node_modules/**", "*.tmp"], maxFileBytes: 1000 });
    const bundle = await capture(source, memory, temp.path);
    server.close();
    expect(paths(bundle)).toEqual(["a.md", "deep", "deep/in", "deep/in-dir", "to-root"]);
    expect(why(bundle)).toEqual({
      ".keepsake-left-by-a-crash": "excluded",
      absolute: "link_outside",
      "deep/b.tmp": "excluded",
      "deep/out": "link_outside",
      "deep/through": "link_outside",
      fifo: "special_file",
      "large.bin": "too_large",
      node_modules: "excluded",
      socket: "special_file",
    });
  });

  it("a restore leaves all of that as it is", async () => {
    await writeTree(memory, {
      "a.md": "a",
      "deep/b.tmp": "old",
      "deep/out": { link: "../../x" },
      "large.bin": Buffer.alloc(2000),
    });
    const source = memdir({ exclude: ["*.tmp"], maxFileBytes: 1000, keep: ["keep-me"] });
    const bundle = await capture(source, memory, temp.path);
    await writeFile(join(memory, "deep/b.tmp"), "new");
    await writeFile(join(memory, "large.bin"), Buffer.alloc(3000));
    await writeTree(memory, {
      "later/c.tmp": "c",
      "later/d.md": "d",
      "keep-me/x": "x",
      "later/big": Buffer.alloc(4000),
    });
    await symlink("/etc", join(memory, "later/out"));
    execFileSync("mkfifo", [join(memory, "fifo")]);
    await restore(source, bundle, memory, temp.path);
    expect(await readFile(join(memory, "deep/b.tmp"), "utf8")).toBe("new");
    expect((await stat(join(memory, "large.bin"))).size).toBe(3000);
    expect((await readdir(join(memory, "later"))).sort()).toEqual(["big", "c.tmp", "out"]);
    expect((await readdir(memory)).sort()).toEqual(["a.md", "deep", "fifo", "keep-me", "large.bin", "later"]);
  });

  it("a restore brings nothing to what is kept, whatever its name is written with", async () => {
    await writeTree(memory, { "a.md": "a", "caf\u00e9/x.md": "of the bundle" });
    const bundle = await capture(memdir(), memory, temp.path);
    await writeFile(join(memory, "caf\u00e9/x.md"), "of now");
    await restore(memdir({ keep: ["caf\u00e9/**"] }), bundle, memory, temp.path);
    expect(await readFile(join(memory, "caf\u00e9/x.md"), "utf8")).toBe("of now");
    await rm(join(memory, "caf\u00e9"), { recursive: true });
    await restore(memdir({ keep: ["caf\u00e9/**"] }), bundle, memory, temp.path);
    expect(await readdir(join(memory, "caf\u00e9")).catch(() => [])).toEqual([]);
  });

  it("what this user may not read, by its code", async () => {
    await writeTree(memory, { "open.md": "o", "secret.md": { file: "s", mode: 0o000 }, "closed/x.md": "x" });
    await chmod(join(memory, "closed"), 0o000);
    await chmod(temp.path, 0o755);
    const program = join(import.meta.dirname, "capture-as-other.mjs");
    const asOther = ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, program, memory];
    // Another user than root is needed: root reads everything.
    const [command, args] = process.getuid?.() === 0 ? ["setpriv", asOther] : [process.execPath, [program, memory]];
    const found = JSON.parse(execFileSync(command, args, { encoding: "utf8" })) as Record<string, unknown>[];
    expect(found).toEqual(
      expect.arrayContaining([
        { type: "omitted", path: "closed", reason: "unreadable", code: "E_PERMISSION", detail: "EACCES" },
        { type: "omitted", path: "secret.md", reason: "unreadable", code: "E_PERMISSION", detail: "EACCES" },
        expect.objectContaining({ type: "directory", path: "closed", mode: 0 }),
        expect.objectContaining({ type: "file", path: "open.md" }),
      ]),
    );
    await chmod(join(memory, "closed"), 0o700);
  });

  it("others' claims are no omission, and only what is asked for is captured", async () => {
    await writeTree(memory, {
      "x.db": "db",
      "x.db-wal": "wal",
      ".git/HEAD": "ref",
      "sub/.git": "gitdir",
      "sub/note.md": "n",
      "sub/a.txt": "a",
    });
    const claims: PathClaim[] = [
      { path: join(memory, "x.db"), scope: "path" },
      { path: join(memory, "x.db-wal"), scope: "path" },
      { path: join(memory, ".git"), scope: "tree" },
      { path: join(memory, "sub/.git"), scope: "path" },
    ];
    const bundle = await capture(memdir(), memory, temp.path, claims);
    expect(paths(bundle)).toEqual(["sub", "sub/a.txt", "sub/note.md"]);
    expect(bundle.omitted).toEqual([]);
    const some = await capture(memdir({ include: ["**/*.md"] }), memory, temp.path, claims);
    expect(paths(some)).toEqual(["sub", "sub/note.md"]);
    await writeFile(join(memory, "sub/later.md"), "l");
    await rm(join(memory, "sub/note.md"));
    await restore(memdir({ include: ["**/*.md"] }), some, memory, temp.path, claims);
    expect((await readdir(join(memory, "sub"))).sort()).toEqual([".git", "a.txt", "note.md"]);
    expect(await readFile(join(memory, "x.db"), "utf8")).toBe("db");
  });
});

describe("files that change meanwhile", () => {
  it("the fence tells", async () => {
    await writeTree(memory, { "a.md": "a", "d/b.md": "b" });
    const fence = async (): Promise<string> => (await capture(memdir(), memory, temp.path)).fences[0];
    const first = await fence();
    expect(await fence()).toBe(first);
    await appendFile(join(memory, "d/b.md"), "!");
    const second = await fence();
    expect(second).not.toBe(first);
    await rename(join(memory, "d/b.md"), join(memory, "d/c.md"));
    expect(await fence()).not.toBe(second);
  });

  it("are captured whole or not at all, while a process rewrites them without pause", async () => {
    await writeTree(memory, { "small.md": "", "large.md": "" });
    const program = join(import.meta.dirname, "rewrite.mjs");
    const writer = spawn(process.execPath, [program, join(memory, "small.md"), join(memory, "large.md")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(writer.stdout, "data");
      for (let round = 0; round < 15; round++) {
        const bundle = await capture(memdir(), memory, temp.path);
        for (const { path } of bundle.entries) {
          const text = (await bytesOf(bundle, path)).toString();
          expect(new Set(text).size, `${path}: bytes of two versions`).toBeLessThanOrEqual(1);
        }
        for (const { reason } of bundle.omitted) expect(["changing", "vanished"]).toContain(reason);
      }
    } finally {
      writer.kill("SIGKILL");
      await once(writer, "exit");
    }
  });

  it.each([
    ["a line being written", '{"a":1}\n{"b":', '{"a":1}\n', 5],
    ["a whole last line without its newline", '{"a":1}\n{"b":2}', '{"a":1}\n{"b":2}', undefined],
    ["whole lines", '{"a":1}\n', '{"a":1}\n', undefined],
    ["the first line being written", '{"a', "", 3],
    ["no lines of JSON after all", '{\n  "a": 1\n}  x', '{\n  "a": 1\n}  x', undefined],
    ["many lines, the last cut", `${'{"k":"v"}\n'.repeat(60_000)}{"cut`, '{"k":"v"}\n'.repeat(60_000), 5],
  ])("JSON lines end on a whole line: %s", async (_what, text, expected, cut) => {
    await writeTree(memory, { "log.jsonl": text, "log.txt": text });
    const bundle = await capture(memdir(), memory, temp.path);
    expect((await bytesOf(bundle, "log.jsonl")).equals(Buffer.from(expected))).toBe(true);
    expect((await bytesOf(bundle, "log.txt")).equals(Buffer.from(text))).toBe(true);
    const { facts } = bundle.entries.find(({ path }) => path === "log.jsonl")?.meta ?? {};
    expect(facts).toEqual(cut === undefined ? undefined : { cut_partial_line_bytes: cut });
  });

  it("a FIFO in a file's place is not waited for", async () => {
    await writeTree(memory, { "a.md": "a" });
    const scratchDir = temp.join("scratch");
    await mkdir(scratchDir);
    const agent = { tenant: parseTenantId("t"), agent: parseAgentId("a") };
    await using session = await memdir().open({ agent, paths: { memory }, scratchDir, claimed: [] });
    const iterator = session.entries()[Symbol.asyncIterator]();
    await rm(join(memory, "a.md"));
    execFileSync("mkfifo", [join(memory, "a.md")]);
    expect((await iterator.next()).value).toMatchObject({ type: "omitted", reason: "special_file" });
  });

  it("a private copy that cannot be written is named", async () => {
    await writeTree(memory, { "large.bin": "x".repeat(9 * 1024 * 1024) });
    const agent = { tenant: parseTenantId("t"), agent: parseAgentId("a") };
    const scratchDir = temp.join("gone");
    await using session = await memdir().open({ agent, paths: { memory }, scratchDir, claimed: [] });
    const all = (async () => {
      for await (const _entry of session.entries());
    })();
    await expect(all).rejects.toMatchObject({
      name: "KeepsakeError",
      message: expect.stringContaining(`could not be written to ${scratchDir}/`) as string,
    });
  });

  it("stops when it is told to", async () => {
    await writeTree(memory, { "a.md": "a" });
    const agent = { tenant: parseTenantId("t"), agent: parseAgentId("a") };
    await using session = await memdir().open({ agent, paths: { memory }, scratchDir: temp.path, claimed: [] });
    const signal = AbortSignal.abort();
    const all = (async () => {
      for await (const _entry of session.entries({ signal }));
    })();
    await expect(all).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("a hostile or odd place to restore into", () => {
  it("a link where a folder was is replaced, never written through", async () => {
    await writeTree(memory, { "notes/a.md": "a" });
    const bundle = await capture(memdir(), memory, temp.path);
    await writeTree(temp.join("precious"), { "a.md": "precious" });
    await rm(join(memory, "notes"), { recursive: true });
    await symlink("../precious", join(memory, "notes"));
    await restore(memdir(), bundle, memory, temp.path);
    expect((await lstat(join(memory, "notes"))).isDirectory()).toBe(true);
    expect(await readFile(temp.join("precious/a.md"), "utf8")).toBe("precious");
  });

  it("also not one below an excluded folder that the bundle has files in", async () => {
    await writeTree(memory, { "x/notes/a.md": "a", "x/real/a.md": "a" });
    const bundle = await capture(memdir(), memory, temp.path);
    await writeTree(temp.join("precious"), { "a.md": "precious" });
    await rm(join(memory, "x/notes"), { recursive: true });
    await symlink("../../precious", join(memory, "x/notes"));
    await writeFile(join(memory, "x/real/excluded.md"), "stays");
    await restore(memdir({ exclude: ["x/**"] }), bundle, memory, temp.path);
    expect(await readFile(temp.join("precious/a.md"), "utf8")).toBe("precious");
    expect(await readFile(join(memory, "x/notes/a.md"), "utf8")).toBe("a");
    expect((await readdir(join(memory, "x/real"))).sort()).toEqual(["a.md", "excluded.md"]);
  });

  it("a folder that became a database's place goes, or forbids the file when it holds what stays", async () => {
    await writeTree(memory, { thing: "a file" });
    const bundle = await capture(memdir(), memory, temp.path);
    await rm(join(memory, "thing"));
    await writeTree(memory, { "thing/in.db": "db", "thing/sub/note.md": "n" });
    const kept = memdir({ keep: ["in.db"] });
    await expect(restore(kept, bundle, memory, temp.path)).rejects.toMatchObject({ code: "E_ALREADY_EXISTS" });
    expect(await readFile(join(memory, "thing/in.db"), "utf8")).toBe("db");
    const before = await treeDigest(memory, { mtimes: "files" });
    const claims: PathClaim[] = [{ path: join(memory, "thing/in.db"), scope: "path" }];
    const { session, plan } = await stageRestore(memdir(), bundle, memory, temp.path, claims);
    await session.commit(plan);
    expect(await readFile(join(memory, "thing"), "utf8")).toBe("a file");
    await session.rollback(plan);
    expect(await treeDigest(memory, { mtimes: "files" })).toEqual(before);
  });

  it("takes no path of another source from a bundle, and no two spellings of one", async () => {
    await writeTree(memory, { "a.md": "a" });
    const { entries } = await capture(memdir(), memory, temp.path);
    const [entry] = entries as [BundleEntry];
    const refuse = async (others: BundleEntry[], claims: PathClaim[] = []): Promise<void> => {
      const bundle = { entries: [entry, ...others], omitted: [] };
      await expect(stageRestore(memdir(), bundle, memory, temp.path, claims)).rejects.toMatchObject({
        code: "E_UNSAFE_PATH",
      });
      expect(await readdir(memory)).toEqual(["a.md"]);
    };
    const as = (path: string, more: object = {}): BundleEntry => ({ ...entry, path, meta: { ...entry.meta, ...more } });
    const link = (path: string, linkTarget: string): BundleEntry => {
      const { file: _file, ...rest } = entry;
      return { ...rest, path, meta: { ...entry.meta, type: "symlink", sizeBytes: 0, linkTarget } };
    };
    await refuse([as(".git/hooks/post-commit")], [{ path: join(memory, ".git"), scope: "tree" }]);
    await refuse([as("%61.md", { nameEncoding: "percent" })]);
    await refuse([as("%61.md/x", { nameEncoding: "percent" })]);
    await refuse([as("%2E%2E/x", { nameEncoding: "percent" })]);
    await refuse([as(".keepsake-x/y")]);
    await refuse([link("out", "../x")]);
    await refuse([link("out", "/etc")]);
    await refuse([link("dir/d", ".."), link("out", "dir/d/../x")]);
    await refuse([link("out", "..\\x")]);
  });

  it("closed folders are restored by a user who is not root, and can be taken back", async () => {
    await writeTree(memory, { "closed/a.md": "a", "closed/sub/b.md": "b" });
    await chmod(join(memory, "closed/sub"), 0o555);
    await chmod(join(memory, "closed"), 0o555);
    await chmod(temp.path, 0o777);
    const program = join(import.meta.dirname, "restore-closed.mjs");
    const asRoot = process.getuid?.() === 0;
    if (asRoot) execFileSync("chown", ["-R", "65534:65534", temp.path]);
    const other = ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath];
    const [command, args] = asRoot ? ["setpriv", other] : [process.execPath, []];
    expect(execFileSync(command, [...args, program, temp.path], { encoding: "utf8" })).toBe("ok\n");
  });

  it("as root, files come with the owner of their folder", async () => {
    if (process.getuid?.() !== 0) return;
    await writeTree(memory, { "d/a.md": "a" });
    const bundle = await capture(memdir(), memory, temp.path);
    execFileSync("chown", ["-R", "65534:65534", memory]);
    await rm(join(memory, "d"), { recursive: true });
    await restore(memdir(), bundle, memory, temp.path);
    expect(await stat(join(memory, "d/a.md"))).toMatchObject({ uid: 65534, gid: 65534 });
    expect(await stat(join(memory, "d"))).toMatchObject({ uid: 65534 });
  });
});

describe("diff", () => {
  it("counts files and lines, and finds nothing between equals", async () => {
    await writeTree(memory, {
      "a.md": "1\n2\n3\n",
      "b.md": "x\ny",
      "c.bin": Buffer.from([0, 1]),
      "m.sh": { file: "m", mode: 0o644 },
    });
    const before = await capture(memdir(), memory, temp.path);
    const source = memdir();
    expect((await source.diff?.(before, before))?.items).toEqual([]);
    await writeFile(join(memory, "a.md"), "1\ntwo\n3\n4\n");
    await rm(join(memory, "b.md"));
    await writeFile(join(memory, "c.bin"), Buffer.from([0, 1, 2]));
    await chmod(join(memory, "m.sh"), 0o755);
    await writeFile(join(memory, "n.md"), "new\n");
    const handle = await open(join(memory, "n.md"), "a");
    await handle.close();
    const after = await capture(memdir(), memory, temp.path);
    expect(await source.diff?.(before, after)).toEqual({
      items: [
        {
          path: "a.md",
          change: "changed",
          details: { sizeBytesBefore: 6, sizeBytesAfter: 10, linesAdded: 2, linesRemoved: 1 },
        },
        { path: "b.md", change: "removed", details: { type: "file", sizeBytes: 3, linesRemoved: 2 } },
        { path: "c.bin", change: "changed", details: { sizeBytesBefore: 2, sizeBytesAfter: 3 } },
        { path: "m.sh", change: "changed", details: { modeBefore: "0644", modeAfter: "0755" } },
        { path: "n.md", change: "added", details: { type: "file", sizeBytes: 4, linesAdded: 1 } },
      ],
      summary: { filesAdded: 1, filesRemoved: 1, filesChanged: 3, linesAdded: 3, linesRemoved: 3 },
    });
  });
});

it("the plugin takes the names of the configuration, and no others", async () => {
  const options = memdirPlugin.providers?.[0]?.options?.["~standard"];
  expect((await options?.validate({ exclude: ["*.tmp"], max_file_bytes: null }))?.issues).toBeUndefined();
  expect((await options?.validate({ maxFileBytes: 1 }))?.issues).toHaveLength(1);
});
