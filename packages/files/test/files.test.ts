import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chunked, type TempDir, tempDir, writeTree } from "@keepsake/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  attributesOf,
  claimTest,
  fromJsonPath,
  isOwnName,
  joinRaw,
  lookAt,
  makeStagingPlace,
  normalFsPath,
  parentOf,
  publishFile,
  replaceFileDurably,
  sameTime,
  setAttributesNow,
  stagingPlaceFor,
  toJsonPath,
  walkTree,
  type WalkOptions,
  writeNewFile,
} from "../src/index.js";
import { hasStrace, runWithFault } from "./strace.js";

let temp: TempDir;
beforeEach(async () => {
  temp = await tempDir();
});
afterEach(async () => temp[Symbol.asyncDispose]());

const rejection = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "nothing",
    (error: unknown) => error,
  );

describe("writeNewFile", () => {
  it("writes all, with exactly the mode it is told", async () => {
    const before = process.umask(0o077);
    try {
      await writeNewFile(temp.join("a"), chunked("hello", 2), { mode: 0o664 });
    } finally {
      process.umask(before);
    }
    expect(await readFile(temp.join("a"), "utf8")).toBe("hello");
    expect((await stat(temp.join("a"))).mode & 0o7777).toBe(0o664);
    await writeNewFile(temp.join("private"), chunked("x"));
    expect((await stat(temp.join("private"))).mode & 0o7777).toBe(0o600);
  });

  it("overwrites nothing, and leaves nothing half-written", async () => {
    await writeFile(temp.join("a"), "old");
    expect(await rejection(writeNewFile(temp.join("a"), chunked("new")))).toMatchObject({ code: "EEXIST" });
    expect(await readFile(temp.join("a"), "utf8")).toBe("old");
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("half");
      throw new RangeError("no more");
    }
    expect(await rejection(writeNewFile(temp.join("b"), failing()))).toBeInstanceOf(RangeError);
    expect(await rejection(writeNewFile(temp.join("c"), chunked("x"), { signal: AbortSignal.abort() }))).toMatchObject({
      name: "AbortError",
    });
    expect(await readdir(temp.path)).toEqual(["a"]);
  });

  it("says at once that it cannot write, though the body is silent", async () => {
    async function* silent(): AsyncGenerator<Uint8Array> {
      // What no file takes.
      yield { length: 1 } as Uint8Array;
      await new Promise(() => undefined);
    }
    expect(await rejection(writeNewFile(temp.join("a"), silent()))).toMatchObject({ code: "ERR_INVALID_ARG_TYPE" });
    expect(await readdir(temp.path)).toEqual([]);
  });

  it.runIf(hasStrace)("goes on after a short write, and fails on one of nothing", async () => {
    const program = join(import.meta.dirname, "write-file.mjs");
    const run = (fault: string, file: string): Promise<{ code: number | null }> =>
      runWithFault("write,pwrite64", fault, "1", [program, temp.join(file)], temp.join(file));
    // The call says 3 and wrote nothing: what counts is that the rest is written after it.
    expect((await run("retval=3", "short")).code).toBe(0);
    expect((await run("retval=0", "none")).code).not.toBe(0);
    expect((await run("error=ENOSPC", "full")).code).not.toBe(0);
    expect(await readdir(temp.path)).toEqual(["short"]);
    expect(await readFile(temp.join("short"), "utf8")).toBe("defghij");
  });
});

describe("replaceFileDurably", () => {
  it("replaces, also a long name, and leaves nothing beside it", async () => {
    const name = "n".repeat(255);
    await replaceFileDurably(temp.join(name), Buffer.from("1"));
    await replaceFileDurably(temp.join(name), Buffer.from("2"));
    expect(await readdir(temp.path)).toEqual([name]);
    expect(await readFile(temp.join(name), "utf8")).toBe("2");
    await mkdir(temp.join("dir/x"), { recursive: true });
    expect(await rejection(replaceFileDurably(temp.join("dir"), Buffer.from("3")))).toMatchObject({
      syscall: "rename",
    });
    expect((await readdir(temp.path)).sort()).toEqual(["dir", name]);
  });
});

describe("publishFile", () => {
  it("never overwrites, with hard links or without", async () => {
    await writeFile(temp.join("partial"), "new");
    await writeFile(temp.join("taken"), "old");
    expect(await rejection(publishFile(temp.join("partial"), temp.join("taken")))).toMatchObject({ code: "EEXIST" });
    await publishFile(temp.join("partial"), temp.join("free"));
    expect((await readdir(temp.path)).sort()).toEqual(["free", "taken"]);
    expect(await readFile(temp.join("taken"), "utf8")).toBe("old");
  });

  it.runIf(hasStrace)("finds its way where links are not permitted", async () => {
    const program = join(import.meta.dirname, "publish-file.mjs");
    await writeFile(temp.join("partial"), "new");
    await writeFile(temp.join("taken"), "old");
    const run = (target: string): Promise<{ code: number | null }> =>
      runWithFault("link", "error=EPERM", "1+", [program, temp.join("partial"), temp.join(target)]);
    expect((await run("taken")).code).not.toBe(0);
    expect((await run("free")).code).toBe(0);
    expect(await readFile(temp.join("free"), "utf8")).toBe("new");
    expect(await readFile(temp.join("taken"), "utf8")).toBe("old");
    expect((await readdir(temp.path)).sort()).toEqual(["free", "taken"]);
  });
});

describe("paths of any bytes", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 12 }).filter((b) => !b.includes(0) && !b.includes(0x2f));
  it("go through JSON, and apart and together again", () => {
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 4 }), (names) => {
        const path = names.reduce<string | Buffer>((at, name) => joinRaw(at, Buffer.from(name)), "/");
        const again = fromJsonPath(JSON.parse(JSON.stringify(toJsonPath(path))) as string);
        expect(Buffer.from(again)).toEqual(Buffer.from(path));
        expect(normalFsPath(Buffer.from(path))).toEqual(path);
        expect(joinRaw(parentOf(path), Buffer.from(names.at(-1) ?? []))).toEqual(path);
      }),
    );
    expect(parentOf("/")).toBe("/");
    expect(joinRaw("/", "a")).toBe("/a");
  });

  it("are claimed byte by byte", () => {
    const odd = Buffer.concat([Buffer.from("/m/git/"), Buffer.from([0xff])]);
    const test = claimTest([
      { path: "/m/a.db", scope: "path" },
      { path: "/m/git/", scope: "tree" },
      { path: "/m/\ufffd", scope: "path" },
    ]);
    const asked = ["/m/a.db", "/m/a.db/x", "/m/a.db-wal", "/m/git", "/m/git/x/y", "/m/gitx", "/m"].map((path) =>
      test(path),
    );
    expect(asked).toEqual([true, false, false, true, true, false, false]);
    expect(test(odd)).toBe(true);
    expect(test(Buffer.concat([Buffer.from("/m/"), Buffer.from([0xff])]))).toBe(false);
    expect(claimTest([])("/")).toBe(false);
    expect(claimTest([{ path: "/", scope: "tree" }])("/a/b")).toBe(true);
  });
});

describe("attributes", () => {
  it("come back to the microsecond, where a Date drops the fraction", async () => {
    await writeFile(temp.join("a"), "");
    const time = fc.integer({ min: 0, max: 4_000_000_000_000_000 });
    await fc.assert(
      fc.asyncProperty(time, fc.constantFrom(0, 0o444, 0o4755), async (micros, mode) => {
        const wanted = { mode, mtimeMs: micros / 1000 };
        setAttributesNow(temp.join("a"), wanted);
        const stats = await lookAt(temp.join("a"));
        // Node 24 keeps the half that is added, too.
        expect((stats?.mtimeNs ?? 0n) / 1000n).toBe(BigInt(micros));
        expect(stats === undefined ? undefined : attributesOf(stats)).toEqual(wanted);
        expect(sameTime(wanted.mtimeMs, wanted.mtimeMs + 0.001)).toBe(false);
      }),
      { numRuns: 50 },
    );
    setAttributesNow(temp.join("a"), { mode: 0o600, mtimeMs: 1_714_979_289_000 });
    expect((await lookAt(temp.join("a")))?.mtimeNs, "whole seconds").toBe(1_714_979_289_000_000_000n);
    setAttributesNow(temp.join("a"), { mode: 0o600, mtimeMs: -86_400_000 });
    expect((await stat(temp.join("a"))).mtimeMs).toBe(-86_400_000);
    setAttributesNow(temp.join("none"), { mode: 0o600, mtimeMs: 0 });
  });

  it("of a link are its own", async () => {
    await writeFile(temp.join("a"), "");
    const before = await stat(temp.join("a"));
    await symlink("a", temp.join("l"));
    setAttributesNow(temp.join("l"), { mode: 0o777, mtimeMs: 5 });
    expect(await stat(temp.join("a"))).toMatchObject({ mode: before.mode, mtimeMs: before.mtimeMs });
  });
});

describe("walkTree", () => {
  async function walk(root: string, options: WalkOptions = {}): Promise<string[]> {
    const found: string[] = [];
    for await (const { relative, type } of walkTree(root, options))
      found.push(`${type} ${relative.toString("latin1")}`);
    return found;
  }

  it("shows a folder before its content, by bytes, following nothing, and leaving out only what is ours", async () => {
    await writeTree(temp.path, [
      ["b/c", "c"],
      ["a", "a"],
      ["B", "b"],
      [Buffer.from([0x62, 0x2f, 0xff]), "odd"],
      ["link", { link: "b" }],
      [".keepsake-op-1/x", "x"],
      [".keepsake-0123456789abcdef.partial", "p"],
      [".keepsake-mine.md", "mine"],
      ["skipped/x", "x"],
    ]);
    execFileSync("mkfifo", [temp.join("fifo")]);
    const own: string[] = [];
    const found = await walk(temp.path, {
      enter: ({ relative }) => relative.toString() !== "skipped",
      onOwn: ({ relative }) => own.push(relative.toString()),
    });
    expect(found).toEqual([
      ...["file .keepsake-mine.md", "file B", "file a", "directory b", "file b/c", "file b/\u00ff"],
      ...["special fifo", "symlink link"],
    ]);
    expect(own).toEqual([".keepsake-0123456789abcdef.partial", ".keepsake-op-1"]);
    expect(isOwnName(Buffer.from(".keepsake"), true)).toBe(false);
  });

  it("gives the root's own error, the consumer's own, and none for what vanishes", async () => {
    expect(await rejection(walk(temp.join("none")))).toMatchObject({ code: "ENOENT" });
    await writeTree(temp.path, { "d/x": "x", e: "e" });
    const found: string[] = [];
    for await (const { relative, type } of walkTree(temp.path)) {
      found.push(relative.toString());
      if (type === "directory") execFileSync("rm", ["-r", temp.join("d")]);
    }
    expect(found).toEqual(["d", "e"]);
    expect(await rejection(walk(temp.path, { signal: AbortSignal.abort() }))).toMatchObject({ name: "AbortError" });
    const enter = (): never => {
      throw Object.assign(new Error("mine"), { code: "ENOENT", syscall: "open" });
    };
    expect(await rejection(walk(temp.path, { enter }))).toMatchObject({ message: "mine" });
  });

  it("shows all of a folder of many", async () => {
    await mkdir(temp.join("many"));
    await Promise.all(Array.from({ length: 1000 }, (_none, at) => writeFile(temp.join("many", String(at)), "")));
    expect(await walk(temp.join("many"))).toHaveLength(1000);
  });
});

describe("a staging place", () => {
  it("is beside, so that a rename works; above where nothing is yet; short enough for any name", async () => {
    await mkdir(temp.join("m"));
    expect(await stagingPlaceFor(temp.join("m"), "op")).toBe(temp.join(".keepsake-op-m"));
    expect(await stagingPlaceFor(temp.join("not/there/yet"), "op")).toBe(temp.join(".keepsake-op-yet"));
    const long = temp.join("n".repeat(255));
    await mkdir(long);
    const place = await stagingPlaceFor(long, "op");
    await makeStagingPlace(place);
    await makeStagingPlace(place);
    expect((await stat(place)).mode & 0o777).toBe(0o700);
  });

  it("is inside where another file system begins, or the same one by a bind mount", async (context) => {
    await mkdir(temp.join("mounted"));
    await mkdir(temp.join("from"));
    const mount = (...args: string[]): boolean => {
      try {
        execFileSync("mount", args, { stdio: "ignore" });
        return true;
      } catch {
        return false;
      }
    };
    const kinds = [
      ["--bind", temp.join("from")],
      ["-t", "tmpfs", "none"],
    ];
    for (const kind of kinds) {
      if (!mount(...kind, temp.join("mounted"))) {
        // Needs the right to mount.
        if (process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1") throw new Error("mounting is required and not possible");
        context.skip("no right to mount here");
      }
      try {
        expect(await stagingPlaceFor(temp.join("mounted"), "op"), kind[0]).toBe(temp.join("mounted/.keepsake-op"));
      } finally {
        execFileSync("umount", [temp.join("mounted")]);
      }
    }
  });
});

it("a hard link shares its attributes, as the swap relies on", async () => {
  await writeFile(temp.join("a"), "x");
  await link(temp.join("a"), temp.join("b"));
  await chmod(temp.join("b"), 0o640);
  expect((await stat(temp.join("a"))).mode & 0o777).toBe(0o640);
});
