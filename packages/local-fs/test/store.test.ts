import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rename, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { type BundleStore, isAbortError, isArtifactPath, type StoredObject } from "@keepsake/core";
import { chunked, collect, tempDir, treeDigest } from "@keepsake/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { localFs } from "../src/local-fs.js";

const text = async (store: BundleStore, key: string, range?: { start: number; length: number }) =>
  Buffer.from(await collect((await store.get(key, range ? { range } : {})).body)).toString();

async function keysOf(list: AsyncIterable<StoredObject>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of list) keys.push(key);
  return keys;
}

const openFiles = () => readdir("/proc/self/fd").then((names) => names.length);

describe("localFs", () => {
  it("stores, finds, reads, lists and deletes", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.join("new", "store") });
    expect(await keysOf(store.list(""))).toEqual([]);
    const put = await store.put("a/b/c.txt", chunked("hello world", 3));
    expect(put).toMatchObject({ key: "a/b/c.txt", sizeBytes: 11 });
    expect(await store.head("a/b/c.txt")).toEqual(put);
    const got = await store.get("a/b/c.txt");
    expect(got.object).toEqual(put);
    expect(Buffer.from(await collect(got.body)).toString()).toBe("hello world");
    expect(await keysOf(store.list(""))).toEqual(["a/b/c.txt"]);
    expect(await store.delete("a/b/c.txt")).toBe(true);
    expect(await store.delete("a/b/c.txt")).toBe(false);
    expect(await store.head("a/b/c.txt")).toBeUndefined();
    await expect(store.get("a/b/c.txt")).rejects.toMatchObject({ code: "E_NOT_FOUND" });
    expect(store.describe()).toBe(`folder ${dir.join("new", "store")}`);
  });

  it("makes files and folders for the owner alone", async () => {
    await using dir = await tempDir();
    await localFs({ root: dir.join("s") }).put("a/b", chunked("x"));
    const modes = Object.entries(await treeDigest(dir.path)).map(([path, { mode }]) => [path, mode]);
    expect(modes).toEqual([
      ["s", "0700"],
      ["s/a", "0700"],
      ["s/a/b", "0600"],
    ]);
  });

  it("overwrites nothing, where a rename would", async () => {
    await using dir = await tempDir();
    await writeFile(dir.join("old"), "old");
    await writeFile(dir.join("new"), "new");
    await rename(dir.join("new"), dir.join("old"));
    expect(await readFile(dir.join("old"), "utf8")).toBe("new");

    const store = localFs({ root: dir.join("s") });
    await store.put("k", chunked("old"));
    await store.put("folder/k", chunked("old"));
    let consumed = false;
    const body = (async function* () {
      consumed = true;
      yield Buffer.from("new");
    })();
    const before = await treeDigest(dir.join("s"));
    await expect(store.put("k", body)).rejects.toMatchObject({ code: "E_ALREADY_EXISTS", context: { key: "k" } });
    expect(consumed).toBe(false);
    await expect(store.put("k/below", chunked("new"))).rejects.toMatchObject({ code: "E_ALREADY_EXISTS" });
    await expect(store.put("folder", chunked("new"))).rejects.toMatchObject({ code: "E_ALREADY_EXISTS" });
    expect(await treeDigest(dir.join("s"))).toEqual(before);
  });

  it("does not take a root that is a file, or a link to nothing, for a store without objects", async () => {
    await using dir = await tempDir();
    await localFs({ root: dir.join("was") }).put("a/b", chunked("x"));
    await writeFile(dir.join("file"), "x");
    await symlink(dir.join("nowhere"), dir.join("dangling"));
    await symlink("itself", dir.join("itself"));
    for (const root of ["file", "file/below", "dangling", "itself"]) {
      const store = localFs({ root: dir.join(root) });
      const lost = { code: "E_IO" };
      await expect(keysOf(store.list("")), root).rejects.toMatchObject(lost);
      await expect(keysOf(store.list("a/")), root).rejects.toMatchObject(lost);
      await expect(store.head("a/b"), root).rejects.toMatchObject(lost);
      await expect(store.get("a/b"), root).rejects.toMatchObject(lost);
      await expect(store.delete("a/b"), root).rejects.toMatchObject(lost);
    }
    await symlink("was", dir.join("link"));
    expect(await keysOf(localFs({ root: dir.join("link") }).list(""))).toEqual(["a/b"]);
  });

  it("says that its root is a file, and not that an object is there already", async () => {
    await using dir = await tempDir();
    await writeFile(dir.join("file"), "precious");
    for (const root of ["file", "file/below"]) {
      const put = localFs({ root: dir.join(root) }).put("a", chunked("x"));
      await expect(put, root).rejects.toMatchObject({ code: "E_IO" });
    }
    expect(await readFile(dir.join("file"), "utf8")).toBe("precious");
  });

  it("lets one of many writers of a key win", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    const bodies = Array.from({ length: 40 }, (_, writer) => `${String(writer)};`.repeat(5_000));
    const results = await Promise.allSettled(bodies.map((body) => store.put("k", chunked(body, 999))));
    const winners = results.flatMap((result, writer) => (result.status === "fulfilled" ? [writer] : []));
    expect(winners).toHaveLength(1);
    expect(await text(store, "k")).toBe(bodies[winners[0] ?? -1]);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "E_ALREADY_EXISTS" });
    }
    expect(await readdir(dir.path)).toEqual(["k"]);
  });

  it("shows nothing of an object before it is whole", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    await store.put(
      "f/k",
      (async function* () {
        for (let part = 0; part < 3; part++) {
          yield Buffer.from("part");
          expect(await readdir(dir.join("f"))).toHaveLength(1);
          expect(await store.head("f/k")).toBeUndefined();
          await expect(store.get("f/k")).rejects.toMatchObject({ code: "E_NOT_FOUND" });
          expect(await keysOf(store.list(""))).toEqual([]);
          expect(await keysOf(store.list("f/."))).toEqual([]);
        }
      })(),
    );
    expect(await text(store, "f/k")).toBe("partpartpart");
  });

  it("leaves nothing when the body fails, and passes its error on as it is", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    const failure = Object.assign(new Error("no such source"), { code: "ENOENT", syscall: "open" });
    const failing = (async function* () {
      yield Buffer.from("x");
      throw failure;
    })();
    await expect(store.put("k", failing)).rejects.toBe(failure);
    expect(await readdir(dir.path)).toEqual([]);
  });

  it.each(["at once", "between chunks", "while the body is silent"])("leaves nothing when aborted %s", async (when) => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    const controller = new AbortController();
    if (when === "at once") controller.abort();
    const body = (async function* () {
      yield Buffer.from("x");
      controller.abort();
      if (when === "while the body is silent") await new Promise(() => undefined);
      yield Buffer.from("y");
    })();
    await expect(store.put("k", body, { signal: controller.signal })).rejects.toSatisfy(isAbortError);
    expect(await readdir(dir.path)).toEqual([]);
  });

  it("holds no file open for a body that is not read, or not to its end", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    await store.put("k", chunked(Buffer.alloc(2 * 1024 * 1024)));
    const before = await openFiles();
    for (let round = 0; round < 20; round++) {
      await store.get("k");
      for await (const _chunk of (await store.get("k")).body) break;
      const controller = new AbortController();
      const { body } = await store.get("k", { signal: controller.signal });
      const aborted = (async () => {
        for await (const _chunk of body) controller.abort();
      })();
      await expect(aborted).rejects.toSatisfy(isAbortError);
    }
    expect(await openFiles()).toBe(before);
  });

  it("says so when an object goes, or shrinks, while it is read", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    await store.put("gone", chunked("x"));
    const { body } = await store.get("gone");
    await store.delete("gone");
    await expect(collect(body)).rejects.toMatchObject({ code: "E_NOT_FOUND" });

    await store.put("shrinks", chunked(Buffer.alloc(4 * 1024 * 1024)));
    const shrinking = async () => {
      for await (const _chunk of (await store.get("shrinks")).body) await truncate(dir.join("shrinks"), 1000);
    };
    await expect(shrinking()).rejects.toMatchObject({ code: "E_IO" });
  });

  it("replaces a small object, or makes it", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    await store.replace?.("a/r.json", Buffer.from("one"));
    expect(await text(store, "a/r.json")).toBe("one");
    expect(await store.replace?.("a/r.json", Buffer.from("second"))).toMatchObject({ key: "a/r.json", sizeBytes: 6 });
    expect(await text(store, "a/r.json")).toBe("second");
    expect(await readdir(dir.join("a"))).toEqual(["r.json"]);
    await expect(store.replace?.("a", Buffer.from("x"))).rejects.toMatchObject({ code: "E_ALREADY_EXISTS" });
    expect(await readdir(dir.path)).toEqual(["a"]);
  });
});

describe("list", () => {
  it("gives the keys of one prefix in byte order, though folders are walked", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    const keys = ["a-b", "a/b", "a.b", "a/b-c", "a/ab/c", "b", "é", "z/é", "z/Z", "😀", "\uFF5E", "a0", "aé/x"];
    for (const key of keys) await store.put(key, chunked(key));
    const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    // The naive orders are others: per folder, and by UTF-16 code unit.
    expect(sorted).not.toEqual([...keys].sort());
    expect(await keysOf(store.list(""))).toEqual(sorted);
    for (const prefix of ["a", "a/", "a/b", "a/b-c", "z/", "z/\u00e9", "é", "none", "a/none/", "b/", "a-b/c"]) {
      expect(await keysOf(store.list(prefix))).toEqual(sorted.filter((key) => key.startsWith(prefix)));
    }
  });

  it("is what filtering and sorting all keys gives, for any keys and prefix", async () => {
    const segment = fc.string({
      unit: fc.constantFrom("a", "b", "-", ".", "0", "é", "\u{1f600}", " ", "%"),
      minLength: 1,
      maxLength: 3,
    });
    const key = fc
      .array(segment, { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join("/"))
      .filter(isArtifactPath);
    await fc.assert(
      fc.asyncProperty(fc.array(key, { maxLength: 12 }), key, async (keys, prefix) => {
        await using dir = await tempDir();
        const store = localFs({ root: dir.path });
        const stored = new Set<string>();
        for (const one of keys)
          if (
            await store.put(one, chunked("x")).then(
              () => true,
              () => false,
            )
          )
            stored.add(one);
        const sorted = [...stored].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(await keysOf(store.list(""))).toEqual(sorted);
        // By characters: half of one is no prefix of any bytes.
        const cut = Array.from(prefix).slice(0, -1).join("");
        expect(await keysOf(store.list(cut))).toEqual(sorted.filter((one) => one.startsWith(cut)));
      }),
      { numRuns: 60 },
    );
  });

  it("gives 3,000 objects", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    const keys = Array.from(
      { length: 3_000 },
      (_, index) => `t/${String(index % 7)}/${String(index).padStart(5, "0")}`,
    );
    for (const key of keys) {
      await mkdir(dir.join("t", key.slice(2, 3)), { recursive: true });
      await writeFile(dir.join(key), "x");
    }
    expect(await keysOf(store.list("t/"))).toEqual([...keys].sort());
  });

  it("reads folder by folder, and stops when its reader does", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    await store.put("a/1", chunked("x"));
    await store.put("b/1", chunked("x"));
    const list = store.list("")[Symbol.asyncIterator]();
    expect((await list.next()).value).toMatchObject({ key: "a/1" });
    await store.put("b/0", chunked("x"));
    expect((await list.next()).value).toMatchObject({ key: "b/0" });
    await list.return?.();
    const controller = new AbortController();
    const aborted = async () => {
      for await (const _object of store.list("", { signal: controller.signal })) controller.abort();
    };
    await expect(aborted()).rejects.toSatisfy(isAbortError);
  });

  it("follows no symbolic link, leaves out what is no object, and hangs on nothing", async () => {
    await using dir = await tempDir();
    const root = dir.join("s");
    const store = localFs({ root });
    await store.put("in/k", chunked("x"));
    await mkdir(dir.join("outside"));
    await writeFile(dir.join("outside", "secret"), "x");
    await symlink(dir.join("outside"), dir.join("s", "link"));
    await symlink(dir.join("outside", "secret"), dir.join("s", "in", "link"));
    await symlink("link", dir.join("s", "loop"));
    execFileSync("mkfifo", [dir.join("s", "pipe")]);
    await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xff)]), "no UTF-8");
    await writeFile(dir.join("s", "\uFFFD"), "the replacement character itself");
    expect(await keysOf(store.list(""))).toEqual(["in/k", "\uFFFD"]);
    expect(await keysOf(store.list("link/"))).toEqual([]);
    for (const key of ["link/secret", "in/link", "pipe", "link", "in"]) {
      expect(await store.head(key)).toBeUndefined();
      await expect(store.get(key)).rejects.toMatchObject({ code: "E_NOT_FOUND" });
      expect(await store.delete(key)).toBe(false);
    }
    await expect(store.put("link/new", chunked("x"))).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
    expect(await readdir(dir.join("outside"))).toEqual(["secret"]);
  });

  it("works for a root that is a link itself", async () => {
    await using dir = await tempDir();
    await mkdir(dir.join("real"));
    await symlink("real", dir.join("root"));
    const store = localFs({ root: dir.join("root") });
    await store.put("a/k", chunked("x"));
    expect(await keysOf(store.list("a/"))).toEqual(["a/k"]);
    expect(await text(store, "a/k")).toBe("x");
  });
});

describe("keys", () => {
  it("may be anything an artifact path may be", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    const odd = [
      ".hidden",
      "...",
      "a b",
      "-rf",
      "~",
      "*?[x]",
      "'\"",
      "$HOME",
      "é",
      "e\u0301",
      "n".repeat(255),
      "z/a:b",
      "%2e%2e",
    ];
    for (const key of odd) await store.put(key, chunked(key));
    for (const key of odd) expect(await text(store, key)).toBe(key);
    expect(await keysOf(store.list(""))).toHaveLength(odd.length);
  });

  it.each(["../x", "/etc/passwd", "a/../../x", "a//b", "", "a\0b", "a/", "./a", "x/.keepsake-partial-1"])(
    "may not be %j",
    async (key) => {
      await using dir = await tempDir();
      const store = localFs({ root: dir.join("s") });
      const calls = [
        () => store.put(key, chunked("x")),
        () => store.get(key),
        () => store.head(key),
        () => store.delete(key),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
      await expect(keysOf(store.list("../x/"))).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
      await expect(stat(dir.join("s"))).rejects.toMatchObject({ code: "ENOENT" });
    },
  );

  it("of a name that is too long are not there", async () => {
    await using dir = await tempDir();
    const store = localFs({ root: dir.path });
    expect(await store.head("n".repeat(256))).toBeUndefined();
    await expect(store.put("n".repeat(256), chunked("x"))).rejects.toMatchObject({ code: "E_LIMIT" });
    expect(await readdir(dir.path)).toEqual([]);
  });
});
