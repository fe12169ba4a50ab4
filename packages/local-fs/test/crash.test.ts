import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ownIdentity } from "@keepsake/files";
import { chunked, collect, tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { localFs } from "../src/local-fs.js";
import { fixture, hasTool, Program, run } from "./processes.js";

const TEXT = "0123456789".repeat(20);
const isRoot = process.getuid?.() === 0;
const hasStrace = hasTool("strace", ["-V"], "every test of system calls");

async function partialsIn(dir: string): Promise<string[]> {
  const names = await readdir(dir, { recursive: true });
  return names.filter((name) => name.includes(".keepsake-partial-"));
}

describe("several processes", () => {
  it("race for one key: one wins, and what is there is whole", async () => {
    await using dir = await tempDir();
    const contenders = Array.from({ length: 16 }, (_, index) => `${String(index)}:`.repeat(300));
    const running = contenders.map((text) => run([fixture("put.mjs"), "race", dir.path, "t/k", text]));
    await expect.poll(async () => (await partialsIn(dir.path)).length, { timeout: 50_000 }).toBe(16);
    await writeFile(dir.join("go"), "");
    const results = await Promise.all(running);
    expect(results.filter((result) => result === "E_ALREADY_EXISTS")).toHaveLength(15);
    expect(await readFile(dir.join("t", "k"), "utf8")).toBe(contenders[results.indexOf("stored")]);
    expect(await readdir(dir.join("t"))).toEqual(["k"]);
  });

  it("leave nothing visible when killed in the middle; a sweep removes the rest, and what is being written stays", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    await using killed = new Program([fixture("put.mjs"), "stall", dir.path, "a/b/k", TEXT]);
    await using living = new Program([fixture("put.mjs"), "stall", dir.path, "a/b/k", TEXT]);
    expect(await killed.line()).toBe("stalled");
    expect(await living.line()).toBe("stalled");
    expect(await partialsIn(dir.path)).toHaveLength(2);
    expect(await store.sweep?.({ olderThanMs: 0 })).toEqual([]);
    await killed.kill();
    living.child.kill("SIGSTOP");
    expect(await collectKeys(dir.path)).toEqual([]);
    const swept = await store.sweep?.({ olderThanMs: 3_600_000 });
    expect(swept).toEqual([expect.stringMatching(/^a\/b\/\.keepsake-partial-/)]);
    expect(await partialsIn(dir.path)).toHaveLength(1);
    await store.put("a/b/k", chunked("x"));
  });
});

async function collectKeys(root: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of localFs({ root }).list("")) keys.push(key);
  return keys;
}

describe("sweep", () => {
  it("goes by age where the writer cannot be judged", async () => {
    await using dir = await tempDir();
    const { pid, startedAt } = ownIdentity();
    const elsewhere = `.keepsake-partial-0123456789ab-${String(pid)}-${startedAt}-0123456789abcdef`;
    for (const name of [elsewhere, ".keepsake-partial-odd"]) await writeFile(dir.join(name), "x");
    const store = localFs({ root: dir.path });
    expect(await store.sweep?.({ olderThanMs: 60_000 })).toEqual([]);
    await utimes(dir.join(elsewhere), new Date(), new Date(Date.now() - 61_000));
    expect(await store.sweep?.({ olderThanMs: 60_000 })).toEqual([elsewhere]);
    expect(await readdir(dir.path)).toEqual([".keepsake-partial-odd"]);
    expect(await store.sweep?.()).toEqual([]);
  });

  it("takes a reused process number for what it is", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    const names: string[] = [];
    await store.put(
      "k",
      (async function* () {
        yield Buffer.from("x");
        const [own = ""] = await partialsIn(dir.path);
        const earlier = own.replace(`-${ownIdentity().startedAt}-`, "-1-");
        await writeFile(dir.join(earlier), "of a process that had this number before");
        names.push(...((await store.sweep?.({ olderThanMs: 3_600_000 })) ?? []), own, earlier);
      })(),
    );
    expect(names).toHaveLength(3);
    expect(names[0]).toBe(names[2]);
    expect(await readdir(dir.path)).toEqual(["k"]);
  });

  it("does not leave the store by a link", async () => {
    await using dir = await tempDir();
    await mkdir(dir.join("outside"));
    await writeFile(dir.join("outside", ".keepsake-partial-odd"), "x");
    await mkdir(dir.join("s"));
    execFileSync("ln", ["-s", dir.join("outside"), dir.join("s", "link")]);
    expect(await localFs({ root: dir.join("s") }).sweep?.({ olderThanMs: -1 })).toEqual([]);
  });
});

if (hasStrace) {
  describe("system calls of put", () => {
    const trace = async (file: string, args: readonly string[]) =>
      run(
        ["-f", "-y", "-qq", "-o", file, "-e", "trace=mkdir,fsync,link,unlink,write", process.execPath, ...args],
        "strace",
      );

    it("sync the file before it gets its name, and every new folder and the name before it resolves", async () => {
      await using dir = await tempDir();
      const root = dir.join("s");
      expect(await trace(dir.join("log"), [fixture("put.mjs"), "put", root, "a/b/k", TEXT])).toBe("stored");
      const calls: string[] = [];
      for (const line of (await readFile(dir.join("log"), "utf8")).split("\n")) {
        const short = line.replaceAll(dir.path, "").replaceAll(/\.keepsake-partial-[0-9a-f-]+/g, "PARTIAL");
        // On a busy machine another thread's call comes in between, and this one's end in a line of its own.
        const call = /(fsync|link|unlink)\((?:[0-9]+<([^>]*)>|"([^"]*)")(?:, "([^"]*)")?(?:\)| <unfinished)/.exec(
          short,
        );
        if (call !== null) calls.push(call.slice(1).filter(Boolean).join(" "));
        if (short.includes('"stored')) calls.push("stored");
      }
      expect(calls).toEqual([
        "fsync /s/a",
        "fsync /s",
        "fsync",
        "fsync /s/a/b/PARTIAL",
        "link /s/a/b/PARTIAL /s/a/b/k",
        "unlink /s/a/b/PARTIAL",
        "fsync /s/a/b",
        "stored",
      ]);
    });

    const fault = (syscall: string, what: string, when: number, root: string) =>
      run(
        [
          ...["-f", "-qq", "-o", "/dev/null", "-e", `trace=${syscall}`],
          ...["-e", `inject=${syscall}:${what}:when=${String(when)}`],
          ...[process.execPath, fixture("put.mjs"), "put", root, "a/k", TEXT],
        ],
        "strace",
      );

    it.each([
      ["fsync", "error=EIO", "E_IO", 4],
      ["link", "error=EIO", "E_IO", 1],
      ["link", "error=ENOSPC", "E_NO_SPACE", 1],
      ["unlink", "error=EIO", "E_IO", 1],
    ])("%s failing with %s leaves nothing visible", async (syscall, what, code, count) => {
      for (let when = 1; when <= count + 1; when++) {
        await using dir = await tempDir();
        const root = dir.join("s");
        const said = await fault(syscall, what, when, root);
        expect(said).toBe(when <= count ? code : "stored");
        expect(await collectKeys(root)).toEqual(said === "stored" ? ["a/k"] : []);
        expect(await partialsIn(dir.path)).toEqual([]);
      }
    });

    it.each([
      ["fsync", 4],
      ["link", 1],
      ["unlink", 1],
    ])("%s being the last thing the process does leaves all or nothing", async (syscall, count) => {
      for (let when = 1; when <= count; when++) {
        await using dir = await tempDir();
        const root = dir.join("s");
        expect(await fault(syscall, "signal=KILL", when, root)).toBe("");
        const store = localFs({ root });
        const keys = await collectKeys(root);
        if (keys.length > 0) expect(await readFile(join(root, "a/k"), "utf8")).toBe(TEXT);
        await store.sweep?.({ olderThanMs: 3_600_000 });
        expect(await partialsIn(dir.path)).toEqual([]);
        expect(await collectKeys(root)).toEqual(keys);
        if (keys.length === 0) await store.put("a/k", chunked(TEXT));
        expect(Buffer.from(await collect((await store.get("a/k")).body)).toString()).toBe(TEXT);
      }
    });
  });
}

if (!isRoot) console.log("not root: full and read-only file systems are left out");

if (isRoot) {
  describe("a file system that is", () => {
    const mounted = async (dir: string, options: string): Promise<AsyncDisposable> => {
      await mkdir(dir, { recursive: true });
      execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", dir]);
      return { [Symbol.asyncDispose]: async () => void execFileSync("umount", [dir]) };
    };

    it("full: E_NO_SPACE, and all the space is there again", async () => {
      await using dir = await tempDir();
      await using _mount = await mounted(dir.join("m"), "size=1m");
      const store = localFs({ root: dir.join("m") });
      const put = store.put("k", chunked(Buffer.alloc(4 * 1024 * 1024), 65_536));
      await expect(put).rejects.toMatchObject({ code: "E_NO_SPACE", context: { key: "k", errno: "ENOSPC" } });
      expect(await readdir(dir.join("m"))).toEqual([]);
      await store.put("k", chunked(Buffer.alloc(900_000)));
      const again = store.put("k2", chunked(Buffer.alloc(900_000)));
      await expect(again).rejects.toMatchObject({ code: "E_NO_SPACE" });
      expect(await collectKeys(dir.join("m"))).toEqual(["k"]);
    });

    it("read-only: E_READ_ONLY for what writes, and what is there can be read", async () => {
      await using dir = await tempDir();
      await using _mount = await mounted(dir.join("m"), "size=1m");
      const store = localFs({ root: dir.join("m") });
      await store.put("k", chunked("x"));
      execFileSync("mount", ["-o", "remount,ro", dir.join("m")]);
      const writes = [
        () => store.put("k2", chunked("x")),
        () => store.put("a/k", chunked("x")),
        () => store.replace?.("k", Buffer.from("y")),
        () => store.delete("k"),
      ];
      for (const write of writes) await expect(write()).rejects.toMatchObject({ code: "E_READ_ONLY" });
      expect(Buffer.from(await collect((await store.get("k")).body)).toString()).toBe("x");
      expect(await collectKeys(dir.join("m"))).toEqual(["k"]);
    });

    it("somebody else's: E_PERMISSION", async () => {
      await using dir = await tempDir();
      await mkdir(dir.join("s"));
      await writeFile(dir.join("s", "k"), "x", { mode: 0o600 });
      execFileSync("chmod", ["755", dir.path, dir.join("s")]);
      const other = ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, fixture("put.mjs")];
      expect(await run([...other, "put", dir.join("s"), "new", "x"], "setpriv")).toBe("E_PERMISSION");
      expect((await stat(dir.join("s"))).mode & 0o777).toBe(0o755);
      expect(await readdir(dir.join("s"))).toEqual(["k"]);
    });
  });
}
