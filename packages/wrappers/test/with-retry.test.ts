import { KeepsakeError, type BundleStore, type StoredObject } from "@keepsake/core";
import { chunked, collect, faultyStore, memoryStore, type StoreFault } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { type RetryOptions, withRetry } from "../src/index.js";
import { broken, failureOf } from "./support/failure-of.js";
import { instantTime } from "./support/manual-time.js";

function trouble(plan: readonly StoreFault[], options: RetryOptions = {}, inner: BundleStore = memoryStore()) {
  const faulty = faultyStore(inner, plan);
  const time = instantTime();
  return { inner, faulty, time, store: withRetry(faulty, { time, random: () => 0, ...options }) };
}

const textOf = async (store: BundleStore, key: string): Promise<string> =>
  Buffer.from(await collect((await store.get(key)).body)).toString();

describe("what is tried again", () => {
  it("is what fails for a time, after a delay that doubles up to a limit", async () => {
    const { store, faulty, time } = trouble([{ on: "head", fail: broken() }], { attempts: 6, maxDelayMs: 500 });
    const failure = await failureOf(store.head("k"));
    expect(failure).toMatchObject({ code: "E_IO", message: "The line broke." });
    expect(faulty.calls.head).toBe(6);
    expect(time.slept).toEqual([100, 200, 400, 500, 500]);
  });

  it("is nothing that fails for good, and no error that is none of ours", async () => {
    for (const fail of [new KeepsakeError("E_PERMISSION", "No."), new TypeError("a defect")]) {
      const { store, faulty } = trouble([{ on: "head", fail }]);
      expect(await failureOf(store.head("k"))).toBe(fail);
      expect(faulty.calls.head).toBe(1);
    }
  });

  it("goes by the error's own advice, not by its code", async () => {
    const fail = new KeepsakeError("E_IO", "Never.", { retry: "permanent" });
    const { store, faulty } = trouble([{ on: "head", fail }]);
    expect(await failureOf(store.head("k"))).toBe(fail);
    expect(faulty.calls.head).toBe(1);
  });

  it("is nothing once the caller has stopped it, and the reason is the caller's", async () => {
    const controller = new AbortController();
    const reason = new KeepsakeError("E_IO", "The caller's own limit.");
    const faulty = faultyStore(memoryStore(), [{ on: "head", fail: broken() }]);
    const store = withRetry(faulty, {
      time: {
        now: () => 0,
        async sleep(_milliseconds, signal) {
          controller.abort(reason);
          signal?.throwIfAborted();
        },
      },
    });
    expect(await failureOf(store.head("k", { signal: controller.signal }))).toBe(reason);
    expect(faulty.calls.head).toBe(1);
  });
});

describe("a put that is tried again", () => {
  it("sends the whole body again", async () => {
    const { store, inner, faulty } = trouble([{ on: "put", call: 1, cutAfterBytes: 7, error: broken() }]);
    await store.put("k", chunked("0123456789", 3));
    expect(await textOf(inner, "k")).toBe("0123456789");
    expect(faulty.calls.put).toBe(2);
  });

  it("gives a store that changes the chunks it got the same bytes again", async () => {
    const inner = memoryStore();
    let calls = 0;
    const spoiling: BundleStore = {
      ...inner,
      async put(key, body, options) {
        if (++calls > 1) return inner.put(key, body, options);
        for await (const chunk of body) chunk.fill(0);
        throw broken();
      },
    };
    await withRetry(spoiling, { time: instantTime() }).put("k", chunked("0123456789", 3));
    expect(await textOf(inner, "k")).toBe("0123456789");
  });

  it("is not, when more was taken of the body than is held", async () => {
    const { store, inner, faulty } = trouble([{ on: "put", call: 1, cutAfterBytes: 7, error: broken() }], {
      spoolBytes: 5,
    });
    expect(await failureOf(store.put("k", chunked("0123456789", 3)))).toMatchObject({ code: "E_IO" });
    expect(faulty.calls.put).toBe(1);
    expect(await inner.head("k")).toBeUndefined();
  });

  it("is, without any spool, when nothing was taken of the body", async () => {
    const { store, inner } = trouble([{ on: "put", call: 1, fail: broken() }], { spoolBytes: 0 });
    await store.put("k", chunked("0123456789", 3));
    expect(await textOf(inner, "k")).toBe("0123456789");
  });

  it("is not, when it was the body that failed", async () => {
    const { store, faulty } = trouble([]);
    const fail = broken("The source broke.");
    const body = (async function* () {
      yield Buffer.from("x");
      throw fail;
    })();
    expect(await failureOf(store.put("k", body))).toBe(fail);
    expect(faulty.calls.put).toBe(1);
  });

  for (const spoolBytes of [0, 1_000]) {
    it(`knows its own object when the answer was lost, with a spool of ${spoolBytes} bytes`, async () => {
      const { store, inner } = trouble([{ on: "put", call: 1, fail: broken(), when: "after" }], { spoolBytes });
      const put = await store.put("k", chunked("0123456789", 3));
      expect(put).toEqual(await inner.head("k"));
    });
  }

  it("does not take for its own what another put there, of the same size", async () => {
    const inner = memoryStore();
    let calls = 0;
    const overtaken: BundleStore = {
      ...inner,
      async put(key, body, options) {
        if (++calls > 1) return inner.put(key, body, options);
        await collect(body);
        await inner.put(key, chunked("9876543210"));
        throw broken();
      },
    };
    const store = withRetry(overtaken, { time: instantTime() });
    expect(await failureOf(store.put("k", chunked("0123456789")))).toMatchObject({ code: "E_ALREADY_EXISTS" });
  });

  it("does not take the same bytes of another for its own when the store never saw the end of them", async () => {
    const inner = memoryStore();
    let calls = 0;
    const overtaken: BundleStore = {
      ...inner,
      async put(key, body, options) {
        if (++calls > 1) return inner.put(key, chunked(await collect(body)), options);
        for await (const _chunk of body) break;
        await inner.put(key, chunked("0123456789"));
        throw broken();
      },
    };
    const store = withRetry(overtaken, { time: instantTime() });
    expect(await failureOf(store.put("k", chunked("0123456789", 3)))).toMatchObject({ code: "E_ALREADY_EXISTS" });
  });

  it("leaves nothing to a call that was left behind and reads on", async () => {
    const inner = memoryStore();
    let late: AsyncIterator<Uint8Array> | undefined;
    const store = withRetry(
      {
        ...inner,
        async put(key, body, options) {
          if (late !== undefined) return inner.put(key, body, options);
          late = body[Symbol.asyncIterator]();
          await late.next();
          throw broken();
        },
      },
      { time: instantTime() },
    );
    await store.put("k", chunked("0123456789", 3));
    expect(await textOf(inner, "k")).toBe("0123456789");
    await expect(late?.next()).rejects.toThrow(/later attempt/);
  });

  for (const spoolBytes of [0, 1_000]) {
    it(`is never two readings at a time that share its chunks, with a spool of ${spoolBytes} bytes`, async () => {
      const inner = memoryStore();
      const twice: BundleStore = {
        ...inner,
        async put(key, body, options) {
          const first = body[Symbol.asyncIterator]();
          while ((await first.next()).done !== true);
          return inner.put(key, chunked(await collect(body)), options);
        },
      };
      const store = withRetry(twice, { time: instantTime(), spoolBytes });
      expect(await failureOf(store.put("k", chunked("0123456789", 3)))).toBeInstanceOf(TypeError);
      expect(await inner.head("k")).toBeUndefined();
    });
  }

  it("takes nothing of its body for a call that was left behind", async () => {
    const inner = memoryStore();
    let late: AsyncIterator<Uint8Array> | undefined;
    let given = 0;
    const body = (async function* () {
      for (const text of ["012", "345", "678", "9"]) {
        given += 1;
        yield Buffer.from(text);
      }
    })();
    const store = withRetry(
      {
        ...inner,
        async put(key, sent, options) {
          if (late === undefined) {
            late = sent[Symbol.asyncIterator]();
            await late.next();
            throw broken();
          }
          const forsaken = late;
          const now = sent[Symbol.asyncIterator]();
          const chunks = [(await now.next()).value as Uint8Array];
          await expect(forsaken.next()).rejects.toThrow(/later attempt/);
          expect(given).toBe(1);
          for (let step = await now.next(); step.done !== true; step = await now.next()) chunks.push(step.value);
          return inner.put(key, chunked(Buffer.concat(chunks)), options);
        },
      },
      { time: instantTime(), spoolBytes: 4 },
    );
    await store.put("k", body);
    expect(await textOf(inner, "k")).toBe("0123456789");
  });
});

describe("a body that breaks off", () => {
  const TEXT = "0123456789".repeat(30_000);
  async function stored(plan: readonly StoreFault[], options?: RetryOptions) {
    const all = trouble(plan, options);
    await all.inner.put("k", chunked(TEXT));
    return all;
  }

  it("is read on by a range, also when it only seems to end", async () => {
    const { store, faulty } = await stored([
      { on: "get", call: 1, cutAfterBytes: 100_000, error: broken() },
      { on: "get", call: 2, cutAfterBytes: 7 },
    ]);
    expect(await textOf(store, "k")).toBe(TEXT);
    expect(faulty.calls.get).toBe(3);
  });

  it("is read on within the range that was asked for", async () => {
    const { store } = await stored([{ on: "get", call: 1, cutAfterBytes: 4, error: broken() }]);
    const { body } = await store.get("k", { range: { start: 5, length: 270_003 } });
    expect(Buffer.from(await collect(body)).toString()).toBe(TEXT.slice(5, 270_008));
  });

  it("is given up after so many attempts that bring nothing, and not before", async () => {
    const plan = [1, 2, 3].map((call) => ({
      on: "get" as const,
      call,
      cutAfterBytes: call > 2 ? 0 : 10,
      error: broken(),
    }));
    const patient = await stored(plan, { attempts: 3 });
    expect(await textOf(patient.store, "k")).toBe(TEXT);
    expect(patient.faulty.calls.get).toBe(4);
    const hasty = await stored(plan, { attempts: 2 });
    expect(await failureOf(textOf(hasty.store, "k"))).toMatchObject({ code: "E_IO" });
    expect(hasty.faulty.calls.get).toBe(3);
  });

  it("is not read on in a store without ranges, unless nothing was read yet", async () => {
    for (const [cutAfterBytes, calls] of [
      [5, 1],
      [0, 2],
    ] as const) {
      const inner = memoryStore();
      await inner.put("k", chunked(TEXT));
      const { ranges: _none, ...rest } = inner.capabilities;
      const plain = { ...inner, capabilities: { ...rest, ranges: false } };
      const { store, faulty } = trouble([{ on: "get", call: 1, cutAfterBytes, error: broken() }], {}, plain);
      const read = textOf(store, "k");
      if (cutAfterBytes === 0) expect(await read).toBe(TEXT);
      else expect(await failureOf(read)).toMatchObject({ code: "E_IO" });
      expect(faulty.calls.get).toBe(calls);
    }
  });

  it("of a record is read again whole: one that was replaced in the same millisecond is no mixture", async () => {
    const inner = memoryStore();
    const facts = { key: "k", sizeBytes: 8, modifiedAtMs: 1 };
    const texts = ["old text", "new text"];
    const replaced: BundleStore = {
      ...inner,
      get: async (_key, options) => {
        const text = texts.shift() ?? "new text";
        const start = options?.range?.start ?? 0;
        const body = (async function* () {
          yield Buffer.from(text).subarray(start, text === "old text" ? 2 : undefined);
          if (text === "old text") throw broken();
        })();
        return { object: facts, body };
      },
    };
    expect(await textOf(withRetry(replaced, { time: instantTime() }), "k")).toBe("new text");
  });

  it("after the caller has stopped it fails with the caller's reason", async () => {
    const { store } = await stored([{ on: "get", call: 1, cutAfterBytes: 65_536 }], { attempts: 1 });
    const controller = new AbortController();
    const { body } = await store.get("k", { signal: controller.signal });
    const read = async (): Promise<void> => {
      for await (const _chunk of body) controller.abort(new Error("enough"));
    };
    expect(await failureOf(read())).toBe(controller.signal.reason);
  });

  it("is not read on of another object that took its place", async () => {
    const { store, inner } = await stored([{ on: "get", call: 1, cutAfterBytes: 10, error: broken() }]);
    const { body } = await store.get("k");
    const read = collect(body);
    await inner.replace?.("k", Buffer.from(`${TEXT}!`));
    expect(await failureOf(read)).toMatchObject({ code: "E_IO", retry: "permanent" });
  });
});

describe("the rest", () => {
  it("a list goes on after the last key, each once", async () => {
    const inner = memoryStore();
    for (const key of ["a", "b", "é", "😀", "\uFF5E"]) await inner.put(key, chunked("x"));
    let calls = 0;
    const breaking: BundleStore = {
      ...inner,
      async *list(prefix, options) {
        let left = ++calls;
        for await (const object of inner.list(prefix, options)) {
          if (left-- === 0) throw broken();
          yield object;
        }
      },
    };
    const objects: StoredObject[] = [];
    for await (const object of withRetry(breaking, { time: instantTime(), attempts: 2 }).list("")) objects.push(object);
    expect(objects.map(({ key }) => key)).toEqual(["a", "b", "é", "\uFF5E", "😀"]);
  });

  it("a delete whose answer was lost has removed the object; of one that never was, it says so", async () => {
    const lost: StoreFault = { on: "delete", call: 1, fail: broken(), when: "after" };
    const { store, inner } = trouble([lost]);
    await inner.put("k", chunked("x"));
    expect(await store.delete("k")).toBe(true);
    expect(await inner.head("k")).toBeUndefined();
    expect(await trouble([lost]).store.delete("k")).toBe(false);
  });

  it("replace and sweep are tried again, and are lacking where the store lacks them", async () => {
    const { store, inner } = trouble([
      { on: "replace", call: 1, fail: broken() },
      { on: "sweep", call: 1, fail: broken(), when: "after" },
    ]);
    await store.replace?.("k", Buffer.from("x"));
    expect(await textOf(inner, "k")).toBe("x");
    expect(await store.sweep?.({ olderThanMs: 1 })).toEqual([]);
    const { replace: _replace, sweep: _sweep, ...poor } = inner;
    expect(withRetry(poor)).not.toHaveProperty("replace");
    expect(withRetry(poor)).not.toHaveProperty("sweep");
    expect(withRetry(poor)).not.toHaveProperty("inspect");
  });
});
