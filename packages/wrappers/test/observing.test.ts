import { type BundleStore, type Logger, SILENT_LOGGER } from "@keepsake/core";
import { chunked, collect, faultyStore, memoryStore } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { chaos, type StoreEvent, withLogging, withMetrics, wrapStore } from "../src/index.js";
import { broken, failureOf } from "./support/failure-of.js";
import { instantTime } from "./support/manual-time.js";

describe("metrics", () => {
  it("tell of each call how it ended, how many bytes passed and how long it took", async () => {
    const time = instantTime();
    const events: StoreEvent[] = [];
    const slow = wrapStore(memoryStore("m"), {
      head: (head) => async (key, options) => {
        await time.sleep(250);
        return head(key, options);
      },
    });
    const inner = faultyStore(slow, [{ on: "get", call: 2, cutAfterBytes: 4, error: broken() }]);
    const store = withMetrics(inner, { record: (event) => void events.push(event) }, { time });
    await store.put("k", chunked("0123456789"));
    await failureOf(store.put("k", chunked("x")));
    await collect((await store.get("k")).body);
    await failureOf(collect((await store.get("k")).body));
    await store.head("k");
    await failureOf(store.head("k", { signal: AbortSignal.abort() }));
    for await (const _object of store.list("")) break;
    await store.replace?.("n", Buffer.from("abc"));
    expect(events.every(({ store: id }) => id === "m")).toBe(true);
    expect(
      events.map(({ operation, outcome, bytes, milliseconds }) => [operation, outcome, bytes, milliseconds]),
    ).toEqual([
      ["put", "ok", 10, 0],
      ["put", "E_ALREADY_EXISTS", 0, 0],
      ["get", "ok", 0, 0],
      ["read", "ok", 10, 0],
      ["get", "ok", 0, 0],
      ["read", "E_IO", 4, 0],
      ["head", "ok", 0, 250],
      ["head", "stopped", 0, 250],
      ["list", "ok", 0, 0],
      ["replace", "ok", 3, 0],
    ]);
    expect(Object.keys(events[0] ?? {}).sort()).toEqual(["bytes", "milliseconds", "operation", "outcome", "store"]);
  });

  it("fail nothing when their sink does", async () => {
    const record = (): never => {
      throw new Error("The sink is full.");
    };
    const store = withMetrics(memoryStore(), { record });
    await store.put("k", chunked("x"));
    expect(await collect((await store.get("k")).body)).toHaveLength(1);
  });
});

it("the log warns of troubles, and not of answers", async () => {
  const lines: [string, unknown][] = [];
  const logger: Logger = {
    ...SILENT_LOGGER,
    debug: (_message, facts) => void lines.push(["debug", facts?.["outcome"]]),
    warn: (_message, facts) => void lines.push(["warn", facts?.["error"]]),
  };
  const store = withLogging(faultyStore(memoryStore(), [{ on: "head", fail: broken() }]), logger);
  await store.put("k", chunked("x"));
  await failureOf(store.put("k", chunked("x")));
  await failureOf(store.get("none"));
  await failureOf(store.head("k"));
  expect(lines).toEqual([
    ["debug", "ok"],
    ["debug", "E_ALREADY_EXISTS"],
    ["debug", "E_NOT_FOUND"],
    ["warn", "The line broke."],
  ]);
});

describe("chaos", () => {
  /** What happens to forty puts and readings; with `order` in another order. */
  async function fates(seed: number, order: (keys: string[]) => string[] = (keys) => keys): Promise<readonly string[]> {
    const inner = memoryStore();
    const rates = { before: 0.1, after: 0.1, cut: 0.2, truncate: 0.4, delay: 0.5 };
    const store = chaos(inner, { seed, rates, time: instantTime() });
    const fate = new Map<string, string>();
    for (const key of order(Array.from({ length: 40 }, (_none, index) => `k${String(index + 10)}`))) {
      const put = await store.put(key, chunked("x".repeat(150_000), 50_000)).then(
        () => "put",
        (error: unknown) => `${(error as { retry: string }).retry} ${(error as Error).message}`,
      );
      const kept = (await inner.head(key)) !== undefined;
      const read = await store
        .get(key)
        .then(async ({ body }) => collect(body).then(({ length }) => String(length), String), String);
      fate.set(key, `${put}, kept ${String(kept)}, ${read}`);
    }
    return [...fate.keys()].sort().map((key) => fate.get(key) ?? "");
  }

  it("does the same for the same seed, in whatever order calls come, and something else for another", async () => {
    const first = await fates(1);
    expect(await fates(1, (keys) => keys.reverse())).toEqual(first);
    expect(await fates(2)).not.toEqual(first);
  });

  it("does all it is asked to: before, after, in the middle, and a seeming end", async () => {
    const all = (await fates(1)).join("\n");
    expect(all).toMatch(/temporary Chaos: put failed before it began., kept false/);
    expect(all).toMatch(/temporary Chaos: put lost its answer., kept true/);
    expect(all).toMatch(/temporary Chaos: put broke off., kept false/);
    expect(all).toMatch(/Chaos: get broke off/);
    expect(all).toMatch(/put, kept true, (?!150000)\d+\n/);
    expect(all).toMatch(/put, kept true, 150000\n/);
  });

  it("breaks lists off as often as it is asked to, however long they are, and draws once for each call", async () => {
    const inner = memoryStore();
    for (let index = 10; index < 40; index++) await inner.put(`k${String(index)}`, chunked("x"));
    const lengths = async (seed: number): Promise<number[]> => {
      const store = chaos(inner, { seed, rates: { cut: 0.5 } });
      const found: number[] = [];
      for (let call = 0; call < 200; call++) {
        let length = 0;
        await (async () => {
          for await (const _object of store.list("k")) length += 1;
        })().catch(() => undefined);
        found.push(length);
      }
      return found;
    };
    const first = await lengths(1);
    const whole = first.filter((length) => length === 30).length;
    // Drawn anew for each object, one list of 2^30 would be whole.
    expect(whole).toBeGreaterThan(70);
    expect(whole).toBeLessThan(130);
    expect(new Set(first.filter((length) => length < 30))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
    expect(await lengths(1)).toEqual(first);
  });

  it("does nothing at a rate of 0, and everything at 1, with the advice it is told", async () => {
    const calm = chaos(memoryStore(), { seed: 1, rates: {} });
    await calm.put("k", chunked("x"));
    const wild = chaos(memoryStore(), { seed: 1, rates: { before: 1 }, retry: "permanent" });
    expect(await failureOf(wild.head("k"))).toMatchObject({ code: "E_IO", retry: "permanent" });
  });
});

describe("what is around a store", () => {
  it("has its capabilities as they are now, its id, and its end", async () => {
    let durable = false;
    let closed = 0;
    const inner: BundleStore & AsyncDisposable = {
      ...memoryStore("its-id"),
      get capabilities() {
        return { durable, noOverwrite: "atomic", ranges: true } as const;
      },
      inspect: async () => [{ severity: "ok", title: "fine" } as never],
      async [Symbol.asyncDispose]() {
        closed += 1;
      },
    };
    const store = wrapStore(inner, {}) as typeof inner;
    durable = true;
    expect(store.capabilities.durable).toBe(true);
    expect([store.id, store.describe()]).toEqual(["its-id", inner.describe()]);
    expect(await store.inspect?.()).toHaveLength(1);
    await store[Symbol.asyncDispose]();
    expect(closed).toBe(1);
    expect(Symbol.asyncDispose in wrapStore(memoryStore(), {})).toBe(false);
  });
});
