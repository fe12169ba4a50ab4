import type { BundleStore } from "@keepsake/core";
import { chunked, collect, faultyStore, memoryStore, runConformance, storeConformance } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { readOnly } from "../src/index.js";
import { failureOf } from "./support/failure-of.js";

it("a read-only store reads as before, and refuses every change without asking the store", async () => {
  const inner = memoryStore();
  await inner.put("k", chunked("text"));
  const faulty = faultyStore({ ...inner, inspect: async () => [] }, []);
  const store = readOnly(faulty);

  const { body } = await store.get("k", { range: { start: 1, length: 2 } });
  expect(Buffer.from(await collect(body)).toString()).toBe("ex");
  expect(await store.head("k")).toMatchObject({ sizeBytes: 4 });
  const keys: string[] = [];
  for await (const { key } of store.list("")) keys.push(key);
  expect(keys).toEqual(["k"]);
  expect(store.describe()).toBe("memory of this process, with faults, only read");

  const signal = AbortSignal.abort(new Error("stop"));
  for (const change of [
    (options = {}) => store.put("new", chunked("x"), options),
    (options = {}) => store.delete("k", options),
  ] as ((options?: object) => Promise<unknown>)[]) {
    expect(await failureOf(change())).toMatchObject({ code: "E_READ_ONLY", retry: "permanent" });
    expect(await failureOf(change({ signal }))).toBe(signal.reason);
  }
  expect(faulty.calls).toMatchObject({ put: 0, delete: 0, replace: 0, sweep: 0, inspect: 0 });
});

it("a read-only store does not offer what it cannot do: replacing, sweeping, and trying its place out", () => {
  const able = readOnly({ ...memoryStore(), inspect: async () => [] });
  for (const member of ["replace", "sweep", "inspect"]) expect(able).not.toHaveProperty(member);
});

/** Reads by the read-only view, and writes beside it, as whoever else fills the place does. */
function filledBeside(inner: BundleStore): BundleStore {
  const view = readOnly(inner);
  return { ...view, put: inner.put.bind(inner), delete: inner.delete.bind(inner) };
}

// What writes is refused above. All promises about reading hold, and what is lacking is asked the other way round.
describe("what is read", () => {
  runConformance(
    storeConformance({
      create: () => ({ store: filledBeside(memoryStore()), reopen: null, boundedMemory: false }),
    }),
    { describe, it },
    { streamBytes: 8 * 1024 * 1024 },
  );
});
