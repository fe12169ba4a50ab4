import type { BundleStore } from "@keepsake/core";
import { chunked, collect, faultyStore, memoryStore } from "@keepsake/testkit";
import { expect, it } from "vitest";
import { readOnly } from "../src/index.js";
import { failureOf } from "./support/failure-of.js";

it("a read-only store reads as before, and refuses every change without asking the store", async () => {
  const inner = memoryStore();
  await inner.put("k", chunked("text"));
  const faulty = faultyStore(inner, []);
  const store = readOnly({ ...faulty, inspect: async () => [] });

  expect(Buffer.from(await collect((await store.get("k", { range: { start: 1, length: 2 } })).body)).toString()).toBe(
    "ex",
  );
  expect(await store.head("k")).toMatchObject({ sizeBytes: 4 });
  const keys: string[] = [];
  for await (const { key } of store.list("")) keys.push(key);
  expect(keys).toEqual(["k"]);

  const signal = AbortSignal.abort(new Error("stop"));
  for (const change of [
    (options = {}) => store.put("new", chunked("x"), options),
    (options = {}) => store.delete("k", options),
    async (options = {}) => store.replace?.("k", Buffer.from("x"), options),
    async (options = {}) => store.sweep?.({ olderThanMs: 0, ...options }),
  ] as ((options?: object) => Promise<unknown>)[]) {
    expect(await failureOf(change())).toMatchObject({ code: "E_READ_ONLY" });
    expect(await failureOf(change({ signal }))).toBe(signal.reason);
  }
  expect(faulty.calls).toMatchObject({ put: 0, delete: 0, replace: 0, sweep: 0 });
  expect(store.inspect).toBeUndefined();
});

it("a read-only store has only the optional members that there were", () => {
  const { replace: _replace, sweep: _sweep, ...poor }: BundleStore = memoryStore();
  expect(readOnly(poor)).not.toHaveProperty("replace");
  expect(readOnly(poor)).not.toHaveProperty("sweep");
});
