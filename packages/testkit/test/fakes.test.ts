import { type BundleStore, isAbortError, KeepsakeError, type StoredObject } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { memoryLocks, memoryStore } from "@keepsake/memory";
import { type FaultyStore, faultyStore, type StoreFault } from "../src/faulty-store.js";
import { chunked, collect } from "../src/streams.js";

const text = async (store: BundleStore, key: string, range?: { start: number; length: number }) =>
  Buffer.from(await collect((await store.get(key, range ? { range } : {})).body)).toString();

async function keysOf(list: AsyncIterable<StoredObject>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of list) keys.push(key);
  return keys;
}

describe("memoryStore", () => {
  it("refuses keys that lead elsewhere", async () => {
    await expect(memoryStore().head("../b")).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
  });
});

describe("memoryLocks", () => {
  it("is exclusive, in turn, and counts", async () => {
    const locks = memoryLocks();
    const tokens: number[] = [];
    let inside = 0;
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        await using lock = await locks.acquire("a", { timeoutMs: 60_000 });
        expect(++inside).toBe(1);
        await new Promise(setImmediate);
        inside--;
        tokens.push(lock.fencingToken);
      }),
    );
    expect(tokens).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await locks.holder?.("a")).toBeUndefined();
  });
});

describe("faultyStore", () => {
  const full = new KeepsakeError("E_NO_SPACE", "Full.");
  const faulty = async (...plan: StoreFault[]) => {
    const inner = memoryStore();
    await inner.put("k", chunked("0123456789", 3));
    return { inner, store: faultyStore(inner, plan) };
  };

  it("passes on what is not planned to fail", async () => {
    const { store } = await faulty();
    await store.put("k2", chunked("x"));
    expect(await text(store, "k2")).toBe("x");
    expect(await keysOf(store.list(""))).toEqual(["k", "k2"]);
    await store.replace?.("k2", Buffer.from("y"));
    expect(await store.sweep?.()).toEqual([]);
    expect(await store.head("k2")).toBeDefined();
    expect(await store.delete("k2")).toBe(true);
    expect(store.calls).toEqual({ put: 1, get: 1, head: 1, list: 1, delete: 1, replace: 1, sweep: 1, inspect: 0 });
  });

  it("has what the store can do beside: `inspect`, its end, and capabilities as they are now; and no more", async () => {
    let closed = 0;
    let isDurable = false;
    const inner: BundleStore & AsyncDisposable & Disposable = {
      ...memoryStore(),
      get capabilities() {
        return { durable: isDurable, noOverwrite: "atomic", ranges: true } as const;
      },
      inspect: async () => [{ name: "place", status: "ok", message: "It works." }],
      [Symbol.asyncDispose]: async () => void (closed += 1),
      [Symbol.dispose]: () => void (closed += 10),
    };
    const store = faultyStore(inner, [{ on: "inspect", call: 2, fail: full }]) as FaultyStore & typeof inner;
    isDurable = true;
    expect(store.capabilities.durable).toBe(true);
    expect(await store.inspect?.()).toMatchObject([{ name: "place" }]);
    await expect(store.inspect?.()).rejects.toBe(full);
    await store[Symbol.asyncDispose]();
    store[Symbol.dispose]();
    expect(closed).toBe(11);
    const plain = faultyStore(memoryStore(), []);
    expect([Symbol.asyncDispose in plain, Symbol.dispose in plain, "inspect" in plain]).toEqual([false, false, false]);
  });

  it("fails the chosen call, before or after its work", async () => {
    const { inner, store } = await faulty(
      { on: "put", call: 2, fail: full },
      { on: "put", call: 3, fail: full, when: "after" },
      { on: "list", fail: full },
    );
    await store.put("1", chunked("x"));
    await expect(store.put("2", chunked("x"))).rejects.toBe(full);
    await expect(store.put("3", chunked("x"))).rejects.toBe(full);
    await expect(keysOf(store.list(""))).rejects.toBe(full);
    expect(await keysOf(inner.list(""))).toEqual(["1", "3", "k"]);
  });

  it("cuts a body at every length, silently or with an error", async () => {
    for (let cutAfterBytes = 0; cutAfterBytes <= 10; cutAfterBytes++) {
      const { store } = await faulty({ on: "get", call: 1, cutAfterBytes }, { on: "get", cutAfterBytes, error: full });
      expect(await text(store, "k")).toBe("0123456789".slice(0, cutAfterBytes));
      await expect(text(store, "k")).rejects.toBe(full);
    }
    const { inner, store } = await faulty({ on: "put", cutAfterBytes: 2, error: full });
    await expect(store.put("new", chunked("xxx"))).rejects.toBe(full);
    expect(await inner.head("new")).toBeUndefined();
  });

  it("stalls until it is aborted, as a call or within a body", async () => {
    const { store } = await faulty({ on: "head", stall: true }, { on: "get", stall: true, afterBytes: 4 });
    const controller = new AbortController();
    const head = store.head("k", { signal: controller.signal });
    const { body } = await store.get("k", { signal: controller.signal });
    const seen: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of body) {
        seen.push(chunk);
        if (Buffer.concat(seen).length === 4) setImmediate(() => controller.abort());
      }
    })();
    await expect(reading).rejects.toSatisfy(isAbortError);
    expect(Buffer.concat(seen).toString()).toBe("0123");
    await expect(head).rejects.toSatisfy(isAbortError);
  });
});
