import type { BundleStore } from "@keepsake/core";
import { chunked, collect, faultyStore, memoryStore } from "@keepsake/testkit";
import { expect, it } from "vitest";
import { withBandwidth, withConcurrency } from "../src/index.js";
import { failureOf } from "./support/failure-of.js";
import { instantTime, ManualTime, turns } from "./support/manual-time.js";

/** A store whose `head` ends when it is told to, and that knows how many are under way. */
function gated() {
  const open: (() => void)[] = [];
  const store: BundleStore = {
    ...memoryStore(),
    head: () => new Promise((resolve) => open.push(() => resolve(undefined))),
  };
  return { store, open };
}

it("no more than so many calls are with the store, and the next goes when one has ended", async () => {
  const { store: inner, open } = gated();
  const store = withConcurrency(inner, { operations: 2 });
  const heads = ["a", "b", "c", "d"].map((key) => store.head(key));
  await turns();
  expect(open).toHaveLength(2);
  open[0]?.();
  await turns();
  expect(open).toHaveLength(3);
  open[1]?.();
  open[2]?.();
  await turns();
  open[3]?.();
  await Promise.all(heads);
});

it("who waits for a turn can be stopped, and takes none; what fails gives its turn back", async () => {
  const { store: inner, open } = gated();
  const store = withConcurrency(faultyStore(inner, [{ on: "delete", fail: new Error("no") }]), { operations: 1 });
  const first = store.head("a");
  const controller = new AbortController();
  const second = failureOf(store.head("b", { signal: controller.signal }));
  await turns();
  controller.abort(new Error("enough"));
  expect(await second).toBe(controller.signal.reason);
  open[0]?.();
  await first;
  await failureOf(store.delete("k"));
  const third = store.head("c");
  await turns();
  expect(open).toHaveLength(2);
  open[1]?.();
  await third;
});

it("with one turn, an object can be put that is read from the same store, and one can be read within a list", async () => {
  const store = withConcurrency(memoryStore(), { operations: 1 });
  await store.put("a", chunked("x".repeat(200_000), 1_000));
  await store.put("b", (await store.get("a")).body);
  const sizes: number[] = [];
  for await (const { key } of store.list("")) sizes.push((await collect((await store.get(key)).body)).length);
  expect(sizes).toEqual([200_000, 200_000]);
});

it("a put that was broken off gives its turn back", async () => {
  const store = withConcurrency(memoryStore(), { operations: 1 });
  const controller = new AbortController();
  const body = (async function* () {
    yield Buffer.from("x");
    controller.abort(new Error("enough"));
    await new Promise(() => undefined);
  })();
  expect(await failureOf(store.put("k", body, { signal: controller.signal }))).toBe(controller.signal.reason);
  expect(await store.head("k")).toBeUndefined();
});

it("so many bytes a second go up and come down, of all calls together, and the bytes are the same", async () => {
  const time = instantTime();
  const store = withBandwidth(memoryStore(), { upBytesPerSecond: 1_000, downBytesPerSecond: 10_000, time });
  const text = "0123456789".repeat(300);
  await Promise.all([store.put("a", chunked(text)), store.put("b", chunked(text, 7))]);
  await store.replace?.("c", Buffer.from(text));
  // The last bytes begin to pass one part of a tenth of a second, or one record, before the end.
  expect(time.now()).toBeGreaterThanOrEqual(6_000 - 100);
  const before = time.now();
  expect(Buffer.from(await collect((await store.get("a")).body)).toString()).toBe(text);
  expect(time.now() - before).toBeGreaterThanOrEqual(200);
  expect(time.now() - before).toBeLessThanOrEqual(300);
});

it("who waits for bandwidth can be stopped", async () => {
  const time = new ManualTime();
  const store = withBandwidth(memoryStore(), { upBytesPerSecond: 1, time });
  const controller = new AbortController();
  const put = failureOf(store.put("k", chunked("0123456789"), { signal: controller.signal }));
  await turns();
  expect(time.asleep).toBe(1);
  controller.abort(new Error("enough"));
  expect(await put).toBe(controller.signal.reason);
  expect(time.asleep).toBe(0);
  expect(await store.head("k")).toBeUndefined();
});
