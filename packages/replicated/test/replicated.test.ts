import { type BundleStore, KeepsakeError, sha256Hex, STALE_PREFIX, staleKey, type StoreTrouble } from "@keepsake/core";
import { collect, faultyStore, memoryStore, type StoreFault } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { replicated, type ReplicatedOptions } from "../src/index.js";
import { codeOf, keys, put, text } from "./support/store-reads.js";

const KEY = "tenants/t/snapshots/a/one.tar.zst";
const DOWN = new KeepsakeError("E_IO", "The disk is gone.");
const ALL = ["put", "get", "head", "list", "delete", "replace", "sweep"] as const;

/** A store that can be switched off, and one that goes wrong as planned while it is on. */
function switched(id: string, plan: readonly StoreFault[] = []) {
  const store = memoryStore(id);
  const on = faultyStore(store, plan);
  const off = faultyStore(
    store,
    ALL.map((method) => ({ on: method, fail: DOWN })),
  );
  let isOn = true;
  const seen = new Proxy(on, {
    get: (_target, key) => Reflect.get(isOn ? on : off, key) as unknown,
  });
  return { store, seen, off: () => (isOn = false), on: () => (isOn = true) };
}

function group(options: Partial<ReplicatedOptions> = {}, plans: Readonly<Record<string, readonly StoreFault[]>> = {}) {
  const parts = ["a", "b", "c"].map((id) => switched(id, plans[id]));
  const [a, b, c] = parts;
  if (!a || !b || !c) throw new TypeError("Three stores were made.");
  const troubles: StoreTrouble[] = [];
  const whole = replicated({
    stores: parts.map(({ seen }) => seen),
    write: { quorum: 2 },
    tell: (trouble) => troubles.push(trouble),
    ...options,
  });
  return { whole, a, b, c, troubles, told: () => [...new Set(troubles.map(({ store, code }) => `${store} ${code}`))] };
}

async function putBundle(store: BundleStore, content: string): Promise<void> {
  await put(store, KEY, content);
  await put(store, `${KEY}.sha256`, `${sha256Hex(content)}\n`);
}

describe("a store that is down from the start", () => {
  it("is told of, and the others are enough; it gets what it missed when it is read", async () => {
    const { whole, b, told } = group();
    b.off();
    await putBundle(whole, "content");
    expect(told()).toEqual(["b E_IO"]);
    expect(await text(whole, KEY)).toBe("content");
    b.on();
    expect(await keys(b.store)).toEqual([]);
    expect(await text(whole, KEY)).toBe("content");
    expect(await text(whole, `${KEY}.sha256`)).toContain(sha256Hex("content"));
    expect(await keys(b.store)).toEqual([KEY, `${KEY}.sha256`]);
    expect(await text(b.store, KEY)).toBe("content");
  });

  it("is one too many where all have to take it: nothing is left", async () => {
    const { whole, a, b } = group({ write: "all" });
    b.off();
    expect(await codeOf(put(whole, KEY, "content"))).toBe("E_IO");
    expect(await keys(a.store)).toEqual([]);
    b.on();
    await put(whole, KEY, "content");
  });

  it("makes what the others do not have unknown, and not absent, when it may be there alone", async () => {
    const { whole, a, b } = group();
    a.off();
    expect(await codeOf(whole.get(KEY))).toBe("E_NOT_FOUND");
    expect(await whole.head(KEY)).toBeUndefined();
    b.off();
    expect(await codeOf(whole.get(KEY))).toBe("E_IO");
    expect(await codeOf(whole.head(KEY))).toBe("E_IO");
    expect(await codeOf(keys(whole))).toBe("E_IO");
  });
});

describe("a store that fails in the middle", () => {
  it("of a put is dropped, and leaves nothing there", async () => {
    const { whole, b, told } = group({}, { b: [{ on: "put", cutAfterBytes: 6, error: DOWN }] });
    await put(whole, KEY, "0123456789");
    expect(await text(whole, KEY)).toBe("0123456789");
    expect(told()).toEqual(["b E_IO"]);
    expect(await b.store.head(KEY)).toBeUndefined();
  });

  it("of a put, and is one too many, takes the others back, also when it is the last that fails", async () => {
    for (const fault of [
      { on: "put", cutAfterBytes: 6, error: DOWN },
      { on: "put", fail: DOWN, when: "after" },
    ] as const) {
      const { whole, a, c } = group({ write: "all" }, { b: [fault] });
      expect(await codeOf(put(whole, KEY, "0123456789"))).toBe("E_IO");
      expect([await keys(a.store), await keys(c.store)]).toEqual([[], []]);
    }
  });

  it("of being read is followed by the next, from where it broke off", async () => {
    const { whole, told } = group({}, { a: [{ on: "get", cutAfterBytes: 4, error: DOWN }] });
    await put(whole, "plain", "0123456789");
    expect(await text(whole, "plain")).toBe("0123456789");
    const { body } = await whole.get("plain", { range: { start: 2, length: 6 } });
    expect(Buffer.from(await collect(body)).toString()).toBe("234567");
    expect(told()).toEqual(["a E_IO"]);
  });

  it("of a listing is left out of it", async () => {
    const { whole } = group({}, { a: [{ on: "list", fail: DOWN }] });
    await put(whole, "x", "1");
    expect(await keys(whole)).toEqual(["x"]);
  });
});

describe("a store that is silent", () => {
  it("is given up after its time: in the middle of a put, at a question, in a listing", async () => {
    const { whole, told } = group(
      { stallMs: 40 },
      {
        b: [
          { on: "put", stall: true, afterBytes: 3 },
          { on: "list", stall: true },
        ],
      },
    );
    await put(whole, KEY, "0123456789");
    expect(await text(whole, KEY)).toBe("0123456789");
    expect(await keys(whole)).toEqual([KEY]);
    expect(told()).toEqual(["b E_IO"]);
  });

  it("is given up, too, when it neither asks for more nor listens", async () => {
    const deaf: BundleStore = {
      ...memoryStore("deaf"),
      async put(_key, body) {
        await body[Symbol.asyncIterator]().next();
        return new Promise<never>(() => undefined);
      },
    };
    const whole = replicated({ stores: [memoryStore("a"), deaf], write: { quorum: 1 }, stallMs: 40 });
    await put(whole, KEY, "0123456789");
    expect(await text(whole, KEY)).toBe("0123456789");
  });

  it("does not keep an abort waiting, and nothing is left", async () => {
    const { whole, a } = group({}, { b: [{ on: "put", stall: true, afterBytes: 3 }] });
    const controller = new AbortController();
    const reason = new Error("enough");
    const body = (async function* () {
      yield Buffer.from("abc");
      setImmediate(() => controller.abort(reason));
      yield Buffer.from("def");
      yield Buffer.from("ghi");
    })();
    await expect(whole.put(KEY, body, { signal: controller.signal })).rejects.toBe(reason);
    expect(await keys(a.store)).toEqual([]);
  });
});

describe("one pass over the bytes", () => {
  it("reads no further than the slowest store has come", async () => {
    let taken = 0;
    let given = 0;
    let ahead = 0;
    const slow: BundleStore = {
      ...memoryStore("slow"),
      async put(key, body) {
        for await (const chunk of body) {
          await new Promise((resolve) => setImmediate(resolve));
          taken += chunk.length;
        }
        return { key, sizeBytes: taken, modifiedAtMs: 1 };
      },
    };
    const whole = replicated({ stores: [memoryStore("fast"), slow] });
    const body = (async function* () {
      for (let index = 0; index < 200; index++) {
        given += 1;
        yield Buffer.from("x");
        ahead = Math.max(ahead, given - taken);
      }
    })();
    await whole.put("k", body);
    expect([taken, ahead]).toEqual([200, 0]);
  });
});

describe("a copy that is damaged", () => {
  it("is not what is read, is told, and is put right", async () => {
    const { whole, a, told } = group();
    await putBundle(whole, "content");
    await a.store.replace?.(KEY, Buffer.from("CONTENT"));
    expect(await text(whole, KEY)).toBe("content");
    expect(told()).toEqual(["a E_INTEGRITY"]);
    expect(await text(a.store, KEY)).toBe("content");
  });

  it("is never a source: with no other, reading fails and nothing is copied", async () => {
    const { whole, a, b, c } = group();
    await putBundle(whole, "content");
    await a.store.replace?.(KEY, Buffer.from("CONTENT"));
    await b.store.delete(KEY);
    await c.store.delete(KEY);
    expect(await codeOf(text(whole, KEY))).toBe("E_INTEGRITY");
    expect(await b.store.head(KEY)).toBeUndefined();
  });

  it("is outvoted by size where no digest lies beside; what nobody can judge is copied nowhere", async () => {
    const { whole, a, b, c, told } = group();
    await put(whole, "r.bin", "right");
    await a.store.replace?.("r.bin", Buffer.from("wro"));
    expect(await text(whole, "r.bin")).toBe("right");
    expect(told()).toEqual(["a differs"]);
    await a.store.replace?.("r.bin", Buffer.from("wrong"));
    await c.store.delete("r.bin");
    expect(await text(whole, "r.bin")).toBe("wrong");
    expect(told()).toEqual(["a differs", "b differs"]);
    expect(await c.store.head("r.bin")).toBeUndefined();
    expect(await text(b.store, "r.bin")).toBe("right");
  });
});

describe("a store that missed a deletion", () => {
  it("does not bring the object back: not by a listing, by reading, by healing, or by a sweep", async () => {
    const { whole, a, b, c } = group();
    await put(whole, "x.json", "1");
    a.off();
    expect(await whole.delete("x.json")).toBe(true);
    a.on();
    expect(await keys(a.store)).toEqual(["x.json"]);
    expect(await keys(whole)).toEqual([]);
    expect(await whole.head("x.json")).toBeUndefined();
    expect(await codeOf(whole.get("x.json"))).toBe("E_NOT_FOUND");
    await whole.sweep?.({ olderThanMs: 0 });
    for (const { store } of [a, b, c]) expect(await keys(store)).toEqual([]);
  });

  it("takes the same key again, and shows the new object", async () => {
    const { whole, a } = group({ write: { quorum: 2 } });
    await put(whole, "x.json", "old");
    a.off();
    await whole.delete("x.json");
    await put(whole, "x.json", "new!");
    a.on();
    expect(await text(whole, "x.json")).toBe("new!");
    expect(await text(a.store, "x.json")).toBe("new!");
    expect((await keys(whole)).length).toBe(1);
    expect(await whole.head("x.json")).toMatchObject({ sizeBytes: 4 });
  });

  it("is caught up with only while all stores can be reached", async () => {
    const { whole, a, b, c } = group();
    await put(whole, "x.json", "1");
    a.off();
    await whole.delete("x.json");
    a.on();
    b.off();
    await whole.sweep?.({ olderThanMs: 0 });
    expect(await keys(a.store)).toEqual(["x.json"]);
    expect(await keys(whole)).toEqual([]);
    expect(await keys(c.store)).toEqual([staleKey("a", "x.json")]);
  });

  it("cannot be told so when all are down, and the deletion fails", async () => {
    const { whole, a, b, c } = group();
    await put(whole, "x.json", "1");
    for (const part of [a, b, c]) part.off();
    expect(await codeOf(whole.delete("x.json"))).toBe("E_IO");
  });

  it("keeps its notes to itself", async () => {
    const { whole } = group();
    expect(await codeOf(put(whole, `${STALE_PREFIX}a/x`, "1"))).toBe("E_UNSAFE_PATH");
    expect(await codeOf(whole.delete(`${STALE_PREFIX}a/x`))).toBe("E_UNSAFE_PATH");
  });
});

describe("a store that missed a replacement", () => {
  it("holds a stale copy, which is not read and is put right", async () => {
    const { whole, a } = group();
    await put(whole, "r.json", "old");
    a.off();
    await whole.replace?.("r.json", Buffer.from("new"));
    a.on();
    expect(await text(a.store, "r.json")).toBe("old");
    expect(await text(whole, "r.json")).toBe("new");
    expect(await text(a.store, "r.json")).toBe("new");
    expect((await keys(a.store)).length).toBe(1);
  });
});

describe("no overwrite", () => {
  it("holds against a store that was down for the first writer", async () => {
    const { whole, a } = group();
    a.off();
    await put(whole, KEY, "first");
    a.on();
    expect(await codeOf(put(whole, KEY, "second"))).toBe("E_ALREADY_EXISTS");
    expect(await a.store.head(KEY)).toBeUndefined();
  });

  it("lets one of 16 win in all stores, though they reach the stores in different order", async () => {
    const { whole, a, b, c } = group();
    const results = await Promise.allSettled(
      Array.from({ length: 16 }, (_none, index) => put(whole, KEY, `w${index}`)),
    );
    const winners = results.flatMap(({ status }, index) => (status === "fulfilled" ? [index] : []));
    expect(winners).toHaveLength(1);
    for (const { store } of [a, b, c]) expect(await text(store, KEY)).toBe(`w${winners[0]}`);
  });

  it("is declared as what follows from the parts", () => {
    const advisory = (id: string): BundleStore => ({
      ...memoryStore(id),
      capabilities: { durable: true, noOverwrite: "advisory", ranges: false },
    });
    const of = (stores: readonly BundleStore[], write: ReplicatedOptions["write"]) =>
      replicated({ stores, ...(write === undefined ? {} : { write }) }).capabilities;
    const [a, b, c, x] = [memoryStore("a"), memoryStore("b"), memoryStore("c"), advisory("x")];
    expect(of([a, b], "all")).toEqual({ durable: false, noOverwrite: "atomic", ranges: true });
    expect(of([x, a], "all")).toEqual({ durable: true, noOverwrite: "atomic", ranges: false });
    expect(of([a, b, c], { quorum: 2 }).noOverwrite).toBe("atomic");
    expect(of([a, b, c], { quorum: 1 }).noOverwrite).toBe("advisory");
    expect(of([a, b, x], { quorum: 2 })).toEqual({ durable: false, noOverwrite: "advisory", ranges: false });
    expect(of([a, x], { quorum: 2 }).noOverwrite).toBe("atomic");
  });
});

it("reads in the order it is told", async () => {
  const { whole, a, b, c } = group({ read: ["c", "b"] });
  await put(whole, "k", "x");
  for (const [part, content] of [
    [a, "a"],
    [b, "b"],
    [c, "c"],
  ] as const)
    await part.store.replace?.("k", Buffer.from(content));
  expect(await text(whole, "k")).toBe("c");
  c.off();
  expect(await text(whole, "k")).toBe("b");
});

it("says which store is down, and which is behind", async () => {
  const { whole, a, b } = group();
  a.off();
  await whole.delete("x.json");
  const findings = (await whole.inspect?.()) ?? [];
  expect(findings.map(({ status, details }) => [status, details?.["store"]])).toEqual([
    ["warning", "a"],
    ["warning", "a"],
  ]);
  b.off();
  expect((await whole.inspect?.())?.map(({ status }) => status)).toContain("problem");
});

it("says which store was emptied, or is another one than it was", async () => {
  const { whole, b } = group();
  for (const key of ["one", "two"]) await put(whole, key, "content");
  expect(await whole.inspect?.()).toEqual([]);
  await b.store.delete("one");
  expect(await whole.inspect?.()).toMatchObject([
    { name: "replica", status: "warning", details: { store: "b", lacks: 1 } },
  ]);
});

it("refuses what cannot be", () => {
  const stores = [memoryStore("a"), memoryStore("b")];
  expect(() => replicated({ stores: [memoryStore("a")] })).toThrow(TypeError);
  expect(() => replicated({ stores: [memoryStore("a"), memoryStore("a")] })).toThrow("a, a");
  expect(() => replicated({ stores, write: { quorum: 3 } })).toThrow("quorum of 3");
  expect(() => replicated({ stores, read: ["z"] })).toThrow("z");
});
