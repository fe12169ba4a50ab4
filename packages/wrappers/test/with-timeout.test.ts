import type { BundleStore } from "@keepsake/core";
import { chunked, collect, faultyStore, memoryStore, type StoreFault } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { withTimeout } from "../src/index.js";
import { failureOf } from "./support/failure-of.js";
import { ManualTime, turns } from "./support/manual-time.js";

const CALL_MS = 1_000;

function limited(inner: BundleStore, graceMs = 10) {
  const time = new ManualTime();
  return { time, store: withTimeout(inner, { callMs: CALL_MS, silenceMs: 300, graceMs, time }) };
}

const stalling = (fault: StoreFault): BundleStore => faultyStore(memoryStore(), [fault]);
const tooSlow = { code: "E_IO", retry: "temporary" };

describe("a call", () => {
  for (const [name, call] of [
    ["put", (store: BundleStore) => store.put("k", chunked("x"))],
    ["get", (store: BundleStore) => store.get("k")],
    ["head", (store: BundleStore) => store.head("k")],
    ["delete", (store: BundleStore) => store.delete("k")],
    ["replace", async (store: BundleStore) => store.replace?.("k", Buffer.from("x"))],
  ] as const) {
    it(`${name} that takes too long is broken off, and fails for a time`, async () => {
      const { store, time } = limited(stalling({ on: name, stall: true }));
      const failure = failureOf(call(store));
      await time.pass(CALL_MS - 1);
      expect(time.asleep).toBe(1);
      await time.pass(1);
      expect(await failure).toMatchObject(tooSlow);
      expect(time.asleep).toBe(0);
    });
  }

  it("that does not stop when it is told to is left behind after its grace", async () => {
    const { store, time } = limited({ ...memoryStore(), head: () => new Promise(() => undefined) });
    const failure = failureOf(store.head("k"));
    await time.pass(CALL_MS);
    expect(time.asleep).toBe(1);
    await time.pass(10);
    expect(await failure).toMatchObject(tooSlow);
  });

  it("that was done when it was told to stop has succeeded", async () => {
    let finish: (() => void) | undefined;
    const slow: BundleStore = {
      ...memoryStore(),
      head: () =>
        new Promise((resolve) => {
          finish = () => resolve({ key: "k", sizeBytes: 1, modifiedAtMs: 1 });
        }),
    };
    const { store, time } = limited(slow);
    const head = store.head("k");
    await time.pass(CALL_MS);
    finish?.();
    expect(await head).toMatchObject({ key: "k" });
    expect(time.asleep).toBe(0);
  });

  it("that the caller stops fails with the caller's reason, also when the store hangs", async () => {
    const { store, time } = limited({ ...memoryStore(), head: () => new Promise(() => undefined) });
    const controller = new AbortController();
    const failure = failureOf(store.head("k", { signal: controller.signal }));
    controller.abort(new Error("enough"));
    await time.pass(CALL_MS);
    await time.pass(10);
    expect(await failure).toBe(controller.signal.reason);
  });
});

describe("a body", () => {
  it("that is put may take its time; the store may not", async () => {
    const { store, time } = limited(memoryStore());
    let more: (() => void) | undefined;
    const body = (async function* () {
      yield Buffer.from("a");
      await new Promise<void>((resolve) => {
        more = resolve;
      });
      yield Buffer.from("b");
    })();
    const put = store.put("k", body);
    await turns();
    await time.pass(100 * CALL_MS);
    more?.();
    expect(await put).toMatchObject({ sizeBytes: 2 });
    expect(time.asleep).toBe(0);
  });

  it("that is read and falls silent is broken off", async () => {
    const inner = memoryStore();
    await inner.put("k", chunked("0123456789"));
    const { store, time } = limited(faultyStore(inner, [{ on: "get", stall: true, afterBytes: 4 }]));
    const failure = failureOf((async () => collect((await store.get("k")).body))());
    await turns();
    await time.pass(300);
    expect(await failure).toMatchObject(tooSlow);
    expect(time.asleep).toBe(0);
  });

  it("that is read slowly by its reader is not", async () => {
    const inner = memoryStore();
    await inner.put("k", chunked("x".repeat(200_000)));
    const { store, time } = limited(inner);
    let bytes = 0;
    for await (const chunk of (await store.get("k")).body) {
      bytes += chunk.length;
      await time.pass(10_000);
    }
    expect(bytes).toBe(200_000);
  });
});

it("a list that falls silent is broken off", async () => {
  const inner = memoryStore();
  await inner.put("k", chunked("x"));
  const silent: BundleStore = {
    ...inner,
    async *list(prefix, options) {
      yield* inner.list(prefix, options);
      await new Promise(() => undefined);
    },
  };
  const { store, time } = limited(silent);
  const keys: string[] = [];
  const failure = failureOf(
    (async () => {
      for await (const { key } of store.list("")) keys.push(key);
    })(),
  );
  await turns();
  await time.pass(300);
  await time.pass(10);
  expect(await failure).toMatchObject(tooSlow);
  expect(keys).toEqual(["k"]);
});
