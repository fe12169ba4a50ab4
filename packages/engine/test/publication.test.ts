import { type BundleStore, KeepsakeError, streamOf } from "@keepsake/core";
import { faultyStore, memoryStore, type StoreFault, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { engineBench } from "./support/engine-bench.js";

const FULL = new KeepsakeError("E_NO_SPACE", "Full.");
const LOST = new KeepsakeError("E_IO", "The answer was lost.");

async function keysIn(store: BundleStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list("")) keys.push(key.replace(/[0-9a-f-]{36}/, "<id>"));
  return keys;
}

/** Takes a snapshot into a store with these faults; what it held before is one whole snapshot. */
async function publishWith(faults: readonly StoreFault[]) {
  const inner = memoryStore();
  const store = faultyStore(inner, faults);
  const bench = await engineBench({ store });
  await using _bench = bench;
  await writeTree(bench.memory, { "notes/a": "a" });
  const outcome = await bench.snapshotter.snapshot({ agent: "ana" }).then(
    ({ record }) => record.id,
    (error: unknown) => (error as KeepsakeError).code,
  );
  const { snapshots } = await bench.snapshotter.list({ agent: "ana" });
  return { outcome, snapshots, keys: await keysIn(inner), calls: store.calls };
}

const WHOLE = ["json", "tar", "tar.sha256"].map((end) => `tenants/default/snapshots/ana/<id>.${end}`);

describe("publishing", () => {
  it("writes body, digest, record, in that order", async () => {
    const { keys, calls, snapshots } = await publishWith([]);
    expect(keys).toEqual(WHOLE);
    expect(calls.put).toBe(3);
    expect(snapshots).toHaveLength(1);
  });

  it.each([1, 2, 3])("leaves nothing when put %i fails", async (call) => {
    const { outcome, snapshots, keys } = await publishWith([{ on: "put", call, fail: FULL }]);
    expect({ outcome, snapshots, keys }).toEqual({ outcome: "E_NO_SPACE", snapshots: [], keys: [] });
  });

  it.each([1, 2])("leaves nothing when the answer of put %i is lost", async (call) => {
    const { outcome, snapshots, keys } = await publishWith([{ on: "put", call, fail: LOST, when: "after" }]);
    expect({ outcome, snapshots, keys }).toEqual({ outcome: "E_IO", snapshots: [], keys: [] });
  });

  it("leaves a whole snapshot when the answer of the record's put is lost: it exists", async () => {
    const { outcome, snapshots, keys } = await publishWith([{ on: "put", call: 3, fail: LOST, when: "after" }]);
    expect(outcome).toBe("E_IO");
    expect(snapshots).toHaveLength(1);
    expect(keys).toEqual(WHOLE);
  });

  it("shows nothing even when nothing can be taken back", async () => {
    const { outcome, snapshots, keys } = await publishWith([
      { on: "put", call: 3, fail: FULL },
      { on: "delete", fail: LOST },
    ]);
    expect({ outcome, snapshots }).toEqual({ outcome: "E_NO_SPACE", snapshots: [] });
    expect(keys).toEqual(WHOLE.slice(1));
  });

  it("takes nothing back when it cannot be seen whether the record is there", async () => {
    const { snapshots, keys } = await publishWith([
      { on: "put", call: 3, fail: LOST, when: "after" },
      { on: "head", fail: LOST },
    ]);
    expect(snapshots).toHaveLength(1);
    expect(keys).toEqual(WHOLE);
  });

  it("stops without a trace when it is aborted while the body is written", async () => {
    const inner = memoryStore();
    const store = faultyStore(inner, [{ on: "put", call: 1, stall: true, afterBytes: 512 }]);
    await using bench = await engineBench({ store });
    await writeTree(bench.memory, { "notes/a": "a".repeat(100_000) });
    const abort = new AbortController();
    const onProgress = ({ phase }: { phase: string }) => phase === "write" && abort.abort();
    await expect(
      bench.snapshotter.snapshot({ agent: "ana" }, { signal: abort.signal, onProgress }),
    ).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(await keysIn(inner)).toEqual([]);
  });

  it("takes nothing back that somebody else had put there", async () => {
    const inner = memoryStore();
    const put: BundleStore["put"] = async (key, body, options) => {
      if (key.endsWith(".tar")) await inner.put(key, streamOf("theirs"));
      return inner.put(key, body, options);
    };
    await using bench = await engineBench({ store: { ...inner, put } });
    await writeTree(bench.memory, { "notes/a": "a" });
    await expect(bench.snapshotter.snapshot({ agent: "ana" })).rejects.toMatchObject({ code: "E_ALREADY_EXISTS" });
    expect(await keysIn(inner)).toEqual(WHOLE.slice(1, 2));
  });

  it("does not make the record when the lock was lost meanwhile", async () => {
    const inner = memoryStore();
    let lose = (): void => undefined;
    const put: BundleStore["put"] = async (key, body, options) => {
      const stored = await inner.put(key, body, options);
      if (key.endsWith(".sha256")) lose();
      return stored;
    };
    await using bench = await engineBench({ store: { ...inner, put } });
    lose = () => bench.locks.lose("agents/default/ana");
    await writeTree(bench.memory, { "notes/a": "a" });
    await expect(bench.snapshotter.snapshot({ agent: "ana" })).rejects.toMatchObject({ code: "E_LOCK_LOST" });
    expect(await keysIn(inner)).toEqual([]);
  });
});
