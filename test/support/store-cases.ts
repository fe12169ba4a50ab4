import { type BundleStore, type ByteStream, isAbortError } from "@keepsake/core";
import { chunked, collect } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";

/** An empty store of one kind, gone when it is disposed. */
export interface StoreCase extends AsyncDisposable {
  readonly store: BundleStore;
}

export const textOf = async (store: BundleStore, key: string, range?: { start: number; length: number }) =>
  Buffer.from(await collect((await store.get(key, range ? { range } : {})).body)).toString();

export async function keysOf(store: BundleStore, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What holds for every store, whatever it is made of. */
export function storeCases(name: string, open: () => Promise<StoreCase>): void {
  describe(`the store ${name}`, () => {
    it("stores, finds, reads, lists and deletes", async () => {
      await using box = await open();
      const { store } = box;
      expect(await keysOf(store)).toEqual([]);
      const put = await store.put("a/b/c.txt", chunked("hello world", 3));
      expect(put).toMatchObject({ key: "a/b/c.txt", sizeBytes: 11 });
      expect(await store.head("a/b/c.txt")).toEqual(put);
      const got = await store.get("a/b/c.txt");
      expect(got.object).toEqual(put);
      expect(Buffer.from(await collect(got.body)).toString()).toBe("hello world");
      const listed = [];
      for await (const object of store.list("")) listed.push(object);
      expect(listed).toEqual([put]);
      expect(await store.delete("a/b/c.txt")).toBe(true);
      expect(await store.delete("a/b/c.txt")).toBe(false);
      expect(await store.head("a/b/c.txt")).toBeUndefined();
      await expect(store.get("a/b/c.txt")).rejects.toMatchObject({ code: "E_NOT_FOUND" });
      expect(await keysOf(store)).toEqual([]);
    });

    it("holds an empty object", async () => {
      await using box = await open();
      expect(await box.store.put("empty", chunked(""))).toMatchObject({ sizeBytes: 0 });
      expect(await textOf(box.store, "empty")).toBe("");
    });

    it("overwrites nothing, and does not begin to read what it would write", async () => {
      await using box = await open();
      const { store } = box;
      await store.put("k", chunked("old"));
      let consumed = false;
      const body = (async function* () {
        consumed = true;
        yield Buffer.from("new");
      })();
      await expect(store.put("k", body)).rejects.toMatchObject({ code: "E_ALREADY_EXISTS", context: { key: "k" } });
      expect(consumed).toBe(false);
      expect(await textOf(store, "k")).toBe("old");
    });

    it("lets one of many writers of a key win", async () => {
      await using box = await open();
      const { store } = box;
      const bodies = Array.from({ length: 24 }, (_, writer) => `${String(writer)};`.repeat(5_000));
      const results = await Promise.allSettled(bodies.map((body) => store.put("k", chunked(body, 999))));
      const winners = results.flatMap((result, writer) => (result.status === "fulfilled" ? [writer] : []));
      expect(winners).toHaveLength(1);
      expect(await textOf(store, "k")).toBe(bodies[winners[0] ?? -1]);
      for (const result of results) {
        if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "E_ALREADY_EXISTS" });
      }
      expect(await keysOf(store)).toEqual(["k"]);
    });

    it("shows nothing of an object before it is whole", async () => {
      await using box = await open();
      const { store } = box;
      const body = (async function* () {
        for (let part = 0; part < 3; part++) {
          yield Buffer.from("part");
          expect(await store.head("f/k")).toBeUndefined();
          await expect(store.get("f/k")).rejects.toMatchObject({ code: "E_NOT_FOUND" });
          expect(await keysOf(store)).toEqual([]);
        }
      })();
      await store.put("f/k", body);
      expect(await textOf(store, "f/k")).toBe("partpartpart");
    });

    it("leaves nothing when the body fails, and passes its error on as it is", async () => {
      await using box = await open();
      const failure = Object.assign(new Error("no such source"), { code: "ENOENT", syscall: "open" });
      const failing = (async function* () {
        yield Buffer.from("x");
        throw failure;
      })();
      await expect(box.store.put("k", failing)).rejects.toBe(failure);
      expect(await keysOf(box.store)).toEqual([]);
    });

    it.each(["at once", "between chunks", "while the body is silent"])(
      "leaves nothing when aborted %s",
      async (when) => {
        await using box = await open();
        const controller = new AbortController();
        if (when === "at once") controller.abort();
        const body = (async function* () {
          yield Buffer.from("x");
          controller.abort();
          if (when === "while the body is silent") await new Promise(() => undefined);
          yield Buffer.from("y");
        })();
        await expect(box.store.put("k", body, { signal: controller.signal })).rejects.toSatisfy(isAbortError);
        expect(await keysOf(box.store)).toEqual([]);
      },
    );

    it("gives ranges", async () => {
      await using box = await open();
      const { store } = box;
      await store.put("k", chunked("0123456789"));
      expect(await textOf(store, "k", { start: 0, length: 3 })).toBe("012");
      expect(await textOf(store, "k", { start: 7, length: 3 })).toBe("789");
      expect(await textOf(store, "k", { start: 7, length: 100 })).toBe("789");
      expect(await textOf(store, "k", { start: 10, length: 1 })).toBe("");
      expect(await textOf(store, "k", { start: 99, length: 1 })).toBe("");
      expect(await textOf(store, "k", { start: 3, length: 0 })).toBe("");
    });

    it("hands over chunks that are not reused", async () => {
      await using box = await open();
      const bytes = Buffer.alloc(3 * 1024 * 1024, "abcdefg");
      await box.store.put("k", chunked(bytes, 100_001));
      const kept: Uint8Array[] = [];
      for await (const chunk of (await box.store.get("k")).body) kept.push(chunk);
      expect(Buffer.concat(kept).equals(bytes)).toBe(true);
    });

    it("stops reading when its reader does, or when aborted", async () => {
      await using box = await open();
      const { store } = box;
      await store.put("k", chunked(Buffer.alloc(2 * 1024 * 1024)));
      await store.get("k");
      for await (const _chunk of (await store.get("k")).body) break;
      const controller = new AbortController();
      const { body } = await store.get("k", { signal: controller.signal });
      await expect(abortedAfterOne(body, controller)).rejects.toSatisfy(isAbortError);
    });

    it("replaces a small object, or makes it", async () => {
      await using box = await open();
      const { store } = box;
      await store.replace?.("a/r.json", Buffer.from("one"));
      expect(await textOf(store, "a/r.json")).toBe("one");
      expect(await store.replace?.("a/r.json", Buffer.from("second"))).toMatchObject({ key: "a/r.json", sizeBytes: 6 });
      expect(await textOf(store, "a/r.json")).toBe("second");
    });

    it("lists the keys of one prefix in byte order", async () => {
      await using box = await open();
      const { store } = box;
      const keys = [
        "a-b",
        "a/b",
        "a.b",
        "a/b-c",
        "a/ab/c",
        "b",
        "é",
        "z/é",
        "z/Z",
        "😀",
        "\uFF5E",
        "a0",
        "aé/x",
        "a+b c",
      ];
      for (const key of keys) await store.put(key, chunked(key));
      const sorted = [...keys].sort(byBytes);
      expect(sorted).not.toEqual([...keys].sort());
      expect(await keysOf(store)).toEqual(sorted);
      for (const prefix of ["a", "a/", "a/b", "a/b-c", "z/", "z/\u00e9", "é", "none", "a/none/", "b/", "a-b/c", "a+"]) {
        expect(await keysOf(store, prefix)).toEqual(sorted.filter((key) => key.startsWith(prefix)));
      }
    });

    it("takes keys that may be anything an artifact path may be", async () => {
      await using box = await open();
      const { store } = box;
      const odd = [".hidden", "...", "a b", "-rf", "~", "*?[x]", "'\"", "$HOME", "é", "e\u0301", "n".repeat(255)];
      odd.push("z/a:b", "%2e%2e", "a+b", "&<>", "?x=1", "#f", "a;b=c,d@e!(f)", "a%20b");
      for (const key of odd) await store.put(key, chunked(key));
      for (const key of odd) expect(await textOf(store, key)).toBe(key);
      expect(await keysOf(store)).toEqual([...odd].sort(byBytes));
      for (const key of odd) expect(await store.delete(key)).toBe(true);
    });

    it.each(["../x", "/etc/passwd", "a/../../x", "a//b", "", "a\0b", "a/", "./a"])("takes no key %j", async (key) => {
      await using box = await open();
      const { store } = box;
      const calls = [
        () => store.put(key, chunked("x")),
        () => store.get(key),
        () => store.head(key),
        () => store.delete(key),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
      expect(await keysOf(store)).toEqual([]);
    });
  });
}

async function abortedAfterOne(body: ByteStream, controller: AbortController): Promise<void> {
  for await (const _chunk of body) controller.abort();
}
