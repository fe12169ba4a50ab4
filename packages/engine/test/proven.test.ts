import { type BundleStore, type ErrorCode, KeepsakeError, type SnapshotRecord } from "@keepsake/core";
import { chunked, collect, memoryStore, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import type { VerifyCheck } from "../src/index.js";
import { type BenchOptions, engineBench, type EngineBench } from "./support/engine-bench.js";
import { fakeCipher, keylessCipher } from "./support/fake-codec.js";
import { folderSource } from "./support/folder-source.js";

const LATEST = { agent: "ana", ref: "latest" };
const DEEP = { ...LATEST, deep: true };

async function newest({ snapshotter }: EngineBench): Promise<SnapshotRecord> {
  const [record] = (await snapshotter.list({ agent: "ana" })).snapshots;
  if (record === undefined) throw new Error("there is no snapshot");
  return record;
}

async function taken(options: BenchOptions = {}): Promise<EngineBench> {
  const bench = await engineBench(options);
  await writeTree(bench.memory, { "notes/a": "content of a\n" });
  await bench.snapshotter.snapshot({ agent: "ana" });
  return bench;
}

/** A source whose staging fails with a code, once one is set. */
function failing(): { code: ErrorCode | undefined; readonly sources: BenchOptions["sources"] & object } {
  const fault: { code: ErrorCode | undefined } = { code: undefined };
  const source = folderSource("notes", (step) => {
    if (step === "stage" && fault.code !== undefined) throw new KeepsakeError(fault.code, "On purpose.");
  });
  return Object.assign(fault, { sources: [source] });
}

async function damage(store: BundleStore, key: string): Promise<void> {
  const bytes = Buffer.from(await collect((await store.get(key)).body)).toString("latin1");
  await store.delete(key);
  await store.put(key, chunked(Buffer.from(bytes.replace("content of a", "content of b"), "latin1")));
}

describe("a snapshot that was proven restorable", () => {
  it("has a record that says when, and how long its restore took", async () => {
    await using bench = await taken({ nowMs: () => 1_234_000 });
    await bench.snapshotter.verify(DEEP);
    const record = await newest(bench);
    expect(record).toMatchObject({ verifiedAtMs: 1_234_000, provenAtMs: 1_234_000 });
    expect(record.provenRestoreMs).toBeGreaterThanOrEqual(0);
    await bench.snapshotter.verify(LATEST);
    expect(await newest(bench), "a look that goes less deep takes nothing away").toEqual(record);
  });

  it.each([LATEST, DEEP])("loses all marks when its bytes are no longer what they were: %j", async (request) => {
    await using bench = await taken();
    await bench.snapshotter.verify(DEEP);
    await damage(bench.store, (await newest(bench)).bundlePath);
    expect((await bench.snapshotter.verify(request)).ok).toBe(false);
    const record = await newest(bench);
    for (const mark of ["verifiedAtMs", "provenAtMs", "provenRestoreMs"]) expect(record).not.toHaveProperty(mark);
  });

  it("loses that mark alone when it verifies, and cannot be restored", async () => {
    const fault = failing();
    await using bench = await taken({ sources: fault.sources });
    await bench.snapshotter.verify(DEEP);
    fault.code = "E_DATABASE_DAMAGED";
    const { ok, checks } = await bench.snapshotter.verify(DEEP);
    expect([ok, checks.at(-1)]).toMatchObject([false, { status: "failed", code: "E_DATABASE_DAMAGED" }]);
    const record = await newest(bench);
    expect(record).toHaveProperty("verifiedAtMs");
    expect(record).not.toHaveProperty("provenAtMs");
    expect(record).not.toHaveProperty("provenRestoreMs");
  });

  it.each(["E_NO_SPACE", "E_IO", "E_PERMISSION"] as const)("keeps it when scratch has %s", async (code) => {
    const fault = failing();
    await using bench = await taken({ sources: fault.sources });
    await bench.snapshotter.verify(DEEP);
    const before = await newest(bench);
    fault.code = code;
    await expect(bench.snapshotter.verify(DEEP)).rejects.toMatchObject({ code });
    expect(await newest(bench)).toEqual(before);
  });

  it("keeps it where the configuration lacks what it needs", async () => {
    const store = memoryStore();
    await using bench = await taken({ store });
    await bench.snapshotter.verify(DEEP);
    await using other = await engineBench({ store, sources: [folderSource("elsewhere")] });
    const { ok, checks } = await other.snapshotter.verify(DEEP);
    const missing: Partial<VerifyCheck> = { status: "not_checked", code: "E_PLUGIN_UNKNOWN" };
    expect([ok, checks.at(-1)]).toMatchObject([false, missing]);
    expect(await newest(bench)).toHaveProperty("provenAtMs");
  });

  it("keeps it, and is not deleted, where a part or the configuration is at fault", async () => {
    const fault = failing();
    const store = memoryStore();
    await using bench = await taken({ store, sources: fault.sources });
    await bench.snapshotter.verify(DEEP);
    const before = await newest(bench);
    fault.code = "E_PLUGIN_FAILED";
    await expect(bench.snapshotter.verify(DEEP)).rejects.toMatchObject({ code: "E_PLUGIN_FAILED" });
    const decoders = (): never => {
      throw new KeepsakeError("E_CONFIG", "The variable of the passphrase is not set.");
    };
    await using other = await engineBench({ store, decoders });
    for (const request of [LATEST, DEEP]) {
      await expect(other.snapshotter.verify(request)).rejects.toMatchObject({ code: "E_CONFIG" });
    }
    expect(await newest(bench)).toEqual(before);
    await bench.snapshotter.snapshot({ agent: "ana" });
    await expect(bench.snapshotter.delete({ agent: "ana", ref: before.id })).rejects.toMatchObject({
      code: "E_NEWEST_VERIFIED",
    });
  });

  it("does not come back when it is deleted while it is looked at", async () => {
    const inner = memoryStore();
    let meanwhile = async (): Promise<unknown> => undefined;
    const head: BundleStore["head"] = (key, options) => inner.head(key, options);
    const get: BundleStore["get"] = async (key, options) => {
      if (key.endsWith(".sha256")) await meanwhile();
      return inner.get(key, options);
    };
    await using bench = await taken({ store: { ...inner, head, get } });
    const record = `${(await newest(bench)).bundlePath.replace(/\.tar.*$/, "")}.json`;
    meanwhile = () => inner.delete(record);
    expect((await bench.snapshotter.verify(LATEST)).ok).toBe(true);
    expect(await inner.head(record)).toBeUndefined();
  });

  it("is not marked while another operation holds the lock, and verifies all the same", async () => {
    await using bench = await taken();
    await using _held = await bench.locks.acquire("agents/default/ana", { timeoutMs: 0 });
    expect((await bench.snapshotter.verify(LATEST)).ok).toBe(true);
    expect(await newest(bench)).not.toHaveProperty("verifiedAtMs");
  });

  it("is not deleted, nor pruned, though a newer one was verified; that one neither", async () => {
    await using bench = await taken();
    await bench.snapshotter.verify(DEEP);
    for (let more = 0; more < 3; more++) await bench.snapshotter.snapshot({ agent: "ana" });
    const { snapshots } = await bench.snapshotter.list({ agent: "ana" });
    const [, verified, plain, proven] = snapshots.map(({ id }) => id);
    await bench.snapshotter.verify({ agent: "ana", ref: verified ?? "" });
    for (const ref of [verified, proven]) {
      await expect(bench.snapshotter.delete({ agent: "ana", ref: ref ?? "" })).rejects.toMatchObject({
        code: "E_NEWEST_VERIFIED",
      });
    }
    const { kept, deleted, reasons } = await bench.snapshotter.prune({ agent: "ana", keep: { last: 1 } });
    expect([kept.slice(1), deleted]).toEqual([[verified, proven], [plain]]);
    expect(reasons).toMatchObject({ [verified ?? ""]: "newest verified", [proven ?? ""]: "newest proven" });
  });

  it("is named by doctor, which says of an agent that has none, and calls that no fault", async () => {
    await using bench = await taken();
    const proofs = async () => {
      const { ok, findings } = await bench.snapshotter.doctor({});
      return { ok, findings: findings.filter(({ name }) => name === "proof") };
    };
    expect(await proofs()).toMatchObject({
      ok: true,
      findings: [{ status: "ok", hint: expect.stringContaining("--deep") as string }],
    });
    await bench.snapshotter.verify(DEEP);
    const { id } = await newest(bench);
    await bench.snapshotter.snapshot({ agent: "ana" });
    expect(await proofs()).toMatchObject({ ok: true, findings: [{ status: "ok", details: { id } }] });
  });
});

describe("what is looked at once it is stored", () => {
  const asked = (verifyAfter: "none" | "stored" | "restorable"): BenchOptions["profile"] & object => ({
    snapshot: { verifyAfter, fullReadEvery: 10, skipUnchanged: false },
    restore: { preSnapshot: true, verifyAfter },
  });

  /** A store that keeps other bytes of bundles than it was given. */
  function forgetful(): BundleStore {
    const inner = memoryStore();
    const put: BundleStore["put"] = async (key, body, options) => {
      const stored = await inner.put(key, body, options);
      if (key.endsWith(".tar")) await damage(inner, key);
      return stored;
    };
    return { ...inner, put };
  }

  it("a snapshot is proven, and says so, when that is asked for", async () => {
    await using bench = await engineBench({ profile: asked("restorable"), nowMs: () => 5_000 });
    await writeTree(bench.memory, { "notes/a": "a" });
    const { record } = await bench.snapshotter.snapshot({ agent: "ana" });
    expect(record).toMatchObject({ verifiedAtMs: 5_000, provenAtMs: 5_000 });
    expect(await newest(bench)).toEqual(record);
  });

  it("so is the one that undoes a restore", async () => {
    await using bench = await taken({ profile: asked("restorable") });
    const { preSnapshot } = await bench.snapshotter.restore(LATEST);
    expect(await newest(bench)).toMatchObject({ id: preSnapshot, provenAtMs: expect.any(Number) as number });
  });

  it.each(["none", "stored", "restorable"] as const)("bytes that a store changed, with %s", async (how) => {
    await using bench = await engineBench({ store: forgetful(), profile: asked(how) });
    await writeTree(bench.memory, { "notes/a": "content of a\n" });
    const snapshot = bench.snapshotter.snapshot({ agent: "ana" });
    if (how === "none") await snapshot;
    else await expect(snapshot).rejects.toMatchObject({ code: "E_INTEGRITY" });
    expect(await newest(bench), "it is there to be looked at").not.toHaveProperty("provenAtMs");
  });

  it.each(["stored", "restorable"] as const)("a snapshot that cannot be restored, with %s", async (how) => {
    const fault = failing();
    await using bench = await engineBench({ sources: fault.sources, profile: asked(how) });
    await writeTree(bench.memory, { "notes/a": "a" });
    fault.code = "E_DATABASE_DAMAGED";
    const snapshot = bench.snapshotter.snapshot({ agent: "ana" });
    if (how === "stored") await snapshot;
    else await expect(snapshot).rejects.toMatchObject({ code: "E_DATABASE_DAMAGED" });
    expect((await bench.snapshotter.list({ agent: "ana" })).snapshots).toHaveLength(1);
  });

  it("an encrypted one that no key here opens is taken, and not called proven", async () => {
    const codecs = { encoders: () => [fakeCipher()], decoders: () => [keylessCipher()] };
    await using bench = await taken({ ...codecs, profile: asked("restorable") });
    expect(await newest(bench)).toMatchObject({ encrypted: true });
    expect(await newest(bench)).not.toHaveProperty("provenAtMs");
  });
});
