import { setImmediate } from "node:timers/promises";
import { type BundleStore, encodeRecord, KeepsakeError, type SnapshotRecord, streamOf } from "@keepsake/core";
import { faultyStore, memoryStore, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { SnapshotCatalog } from "../src/catalog/snapshot-catalog.js";
import { ANA, engineBench } from "./support/engine-bench.js";

const PREFIX = "tenants/default/snapshots/ana";

function recordNamed(id: string): SnapshotRecord {
  return {
    recordVersion: 1,
    id,
    agentId: "ana",
    tenant: "default",
    createdAtMs: 1,
    createdBy: "a test",
    bundlePath: `${PREFIX}/${id}.tar`,
    bundleSizeBytes: 1,
    bundleSha256: "0".repeat(64),
    fileSha256: "0".repeat(64),
    manifestSeal: "0".repeat(64),
    schemaVersions: {},
    encrypted: false,
    redactionsApplied: false,
    codecs: [],
    artifactCount: 1,
    complete: true,
  };
}

const IDS = [
  "01890a5d-ac96-774b-bcce-b302099a8051",
  "01890a5d-ac97-774b-bcce-b302099a8052",
  "01990a5d-ac96-774b-bcce-b302099a8053",
];

async function catalogOf(ids: readonly string[] = IDS) {
  const store = memoryStore();
  const catalog = new SnapshotCatalog(store);
  for (const id of ids) await catalog.publish(recordNamed(id));
  return { store, catalog };
}

describe("a reference", () => {
  it("is an id, a unique prefix, latest, or latest~N", async () => {
    const { catalog } = await catalogOf();
    const idOf = async (reference: string) => (await catalog.resolve(ANA, reference)).id;
    const [oldest = "", middle = "", newest = ""] = IDS;
    expect(await idOf("latest")).toBe(newest);
    expect([await idOf("latest~0"), await idOf("latest~1"), await idOf("latest~2")]).toEqual([newest, middle, oldest]);
    expect([await idOf("0199"), await idOf(oldest), await idOf("01890a5d-ac96")]).toEqual([newest, oldest, oldest]);
  });

  it.each([
    ["0189", "E_AMBIGUOUS_REF"],
    ["latest~3", "E_NOT_FOUND"],
    ["ffff", "E_NOT_FOUND"],
    ["01890a5d-ac96-774b-bcce-b302099a8059", "E_NOT_FOUND"],
    ["018", "E_INVALID_ID"],
    ["", "E_INVALID_ID"],
    ["../../x", "E_INVALID_ID"],
    ["latest~-1", "E_INVALID_ID"],
    ["LATEST", "E_INVALID_ID"],
    ["f".repeat(37), "E_INVALID_ID"],
  ])("%j is refused with %s", async (reference, code) => {
    const { catalog } = await catalogOf();
    await expect(catalog.resolve(ANA, reference)).rejects.toMatchObject({ code });
  });
});

describe("how much is read", () => {
  /** A store that counts its reads, and how many of them are under way. */
  async function counted(ids: readonly string[]) {
    const { store } = await catalogOf(ids);
    const count = { reads: 0, running: 0, most: 0 };
    const get: typeof store.get = async (key, options) => {
      count.reads++;
      count.most = Math.max(count.most, ++count.running);
      try {
        await setImmediate();
        return await store.get(key, options);
      } finally {
        count.running--;
      }
    };
    return { catalog: new SnapshotCatalog({ ...store, get }), count };
  }

  it.each([
    ["latest", 1],
    ["latest~1", 2],
    ["0199", 1],
  ])("%s reads no records but those that it goes by", async (reference, reads) => {
    const { catalog, count } = await counted(IDS);
    await catalog.resolve(ANA, reference);
    expect(count.reads).toBe(reads);
  });

  it("is several at a time for a list, and not all at once; the order is as ever", async () => {
    const many = Array.from(
      { length: 100 },
      (_, number) => `01890a5d-ac96-774b-bcce-${String(number).padStart(12, "0")}`,
    );
    const { catalog, count } = await counted(many);
    const { snapshots } = await catalog.list(ANA);
    expect(snapshots.map(({ id }) => id)).toEqual(many.toReversed());
    expect(count.most).toBeGreaterThan(4);
    expect(count.most).toBeLessThanOrEqual(16);
  });

  it("passes over a record that cannot be read", async () => {
    const { store, catalog } = await catalogOf();
    const [, middle = "", newest = ""] = IDS;
    await store.delete(`${PREFIX}/${newest}.json`);
    await store.put(`${PREFIX}/${newest}.json`, streamOf("{"));
    expect((await catalog.resolve(ANA, "latest")).id).toBe(middle);
  });
});

describe("a record", () => {
  const [id = "", other = ""] = IDS;
  const wire = (change: object): Uint8Array =>
    Buffer.from(
      JSON.stringify({ ...(JSON.parse(Buffer.from(encodeRecord(recordNamed(id))).toString()) as object), ...change }),
    );

  it.each([
    ["no JSON", Buffer.from("{"), "E_RECORD"],
    ["of another snapshot", wire({ id: other }), "E_RECORD"],
    ["of another agent", wire({ agent_id: "bob" }), "E_RECORD"],
    ["of another tenant", wire({ tenant: "other" }), "E_RECORD"],
    ["that points at another bundle", wire({ bundle_path: `${PREFIX}/${other}.tar` }), "E_RECORD"],
    ["that points out of its place", wire({ bundle_path: `tenants/default/snapshots/bob/${id}.tar` }), "E_RECORD"],
    ["that points at no bundle", wire({ bundle_path: `${PREFIX}/${id}.json` }), "E_RECORD"],
    ["without a digest", wire({ file_sha256: "x" }), "E_RECORD"],
    ["of a newer program", wire({ record_version: 2 }), "E_FORMAT_TOO_NEW"],
    ["larger than any", wire({ label: "x".repeat(2 << 20) }), "E_LIMIT"],
  ])("%s is listed as unreadable, and nothing is done with it", async (_what, bytes, code) => {
    const { store, catalog } = await catalogOf([other]);
    const key = `${PREFIX}/${id}.json`;
    await store.put(key, streamOf(bytes));
    const { snapshots, unreadable } = await catalog.list(ANA);
    expect(snapshots.map((record) => record.id)).toEqual([other]);
    expect(unreadable).toMatchObject([{ key, code }]);
    await expect(catalog.resolve(ANA, id)).rejects.toMatchObject({ code });
    expect((await catalog.resolve(ANA, "latest")).id).toBe(other);
  });

  it("that was deleted while the others were listed is no longer there", async () => {
    const { store } = await catalogOf();
    const gone = faultyStore(store, [{ on: "get", call: 2, fail: new KeepsakeError("E_NOT_FOUND", "Gone.") }]);
    const { snapshots, unreadable } = await new SnapshotCatalog(gone).list(ANA);
    expect([snapshots.length, unreadable]).toEqual([2, []]);
  });

  it("of another agent, and what is no record at all, is not seen", async () => {
    const { store, catalog } = await catalogOf([id]);
    for (const key of [
      "tenants/default/snapshots/ana/notes.json",
      "tenants/default/snapshots/anabel/x.json",
      "other/y.json",
    ])
      await store.put(key, streamOf("{}"));
    expect(await catalog.list(ANA)).toMatchObject({ snapshots: [{ id }], unreadable: [] });
    expect(await catalog.list(undefined)).toMatchObject({ snapshots: [{ id }], unreadable: [] });
  });
});

describe("deleting and pruning", () => {
  /** A bench with so many snapshots; gives their ids, newest first. */
  async function benchWith(count: number) {
    const bench = await engineBench();
    for (let index = 0; index < count; index++) {
      await writeTree(bench.memory, { "notes/a": String(index) });
      await bench.snapshotter.snapshot({ agent: "ana" });
    }
    const { snapshots } = await bench.snapshotter.list({ agent: "ana" });
    return { bench, ids: snapshots.map((record) => record.id) };
  }

  it("refuses the last one, and the newest verified one", async () => {
    const { bench, ids } = await benchWith(3);
    await using _bench = bench;
    const [newest = "", middle = "", oldest = ""] = ids;
    await bench.snapshotter.verify({ agent: "ana", ref: oldest });
    await expect(bench.snapshotter.delete({ agent: "ana", ref: oldest })).rejects.toMatchObject({
      code: "E_NEWEST_VERIFIED",
    });
    await bench.snapshotter.verify({ agent: "ana", ref: middle });
    expect(await bench.snapshotter.delete({ agent: "ana", ref: oldest })).toEqual({ deleted: oldest });
    await bench.snapshotter.delete({ agent: "ana", ref: newest });
    await expect(bench.snapshotter.delete({ agent: "ana", ref: "latest" })).rejects.toMatchObject({
      code: "E_LAST_SNAPSHOT",
    });
    expect((await bench.snapshotter.doctor({})).ok).toBe(true);
  });

  it("removes the record first: what fails after that leaves no snapshot without its bundle", async () => {
    const inner = memoryStore();
    await using bench = await engineBench({
      store: faultyStore(inner, [{ on: "delete", call: 2, fail: new KeepsakeError("E_IO", "No.") }]),
    });
    for (const text of ["1", "2"]) {
      await writeTree(bench.memory, { "notes/a": text });
      await bench.snapshotter.snapshot({ agent: "ana" });
    }
    await expect(bench.snapshotter.delete({ agent: "ana", ref: "latest" })).rejects.toMatchObject({ code: "E_IO" });
    expect((await bench.snapshotter.list({ agent: "ana" })).snapshots).toHaveLength(1);
    const { ok, findings } = await bench.snapshotter.doctor({});
    expect(ok).toBe(true);
    expect(findings).toContainEqual(expect.objectContaining({ name: "orphan", status: "warning" }));
  });

  it("removes nothing while the bundle is out of reach", async () => {
    const inner = memoryStore();
    const far = { isDown: false };
    await using bench = await engineBench({
      store: {
        ...inner,
        async head(key, options) {
          if (far.isDown && key.endsWith(".tar")) throw new KeepsakeError("E_IO", "The disk is not there.");
          return inner.head(key, options);
        },
      },
    });
    for (const text of ["1", "2", "3"]) {
      await writeTree(bench.memory, { "notes/a": text });
      await bench.snapshotter.snapshot({ agent: "ana" });
    }
    far.isDown = true;
    await expect(bench.snapshotter.delete({ agent: "ana", ref: "latest~1" })).rejects.toMatchObject({ code: "E_IO" });
    await expect(bench.snapshotter.prune({ agent: "ana", keep: { last: 1 } })).rejects.toMatchObject({ code: "E_IO" });
    far.isDown = false;
    const { snapshots, missing } = await bench.snapshotter.list({ agent: "ana" });
    expect([snapshots.length, missing]).toEqual([3, []]);
    await bench.snapshotter.prune({ agent: "ana", keep: { last: 1 } });
    expect((await bench.snapshotter.list({ agent: "ana" })).snapshots).toHaveLength(1);
  });

  it("prunes by the rules, does nothing in a dry run, and refuses rules that are none", async () => {
    const { bench, ids } = await benchWith(4);
    await using _bench = bench;
    const { snapshotter } = bench;
    const dry = await snapshotter.prune({ agent: "ana", keep: { last: 2 }, dryRun: true });
    expect([dry.kept, dry.deleted]).toEqual([ids.slice(0, 2), ids.slice(2)]);
    expect((await snapshotter.list({ agent: "ana" })).snapshots).toHaveLength(4);
    expect(await snapshotter.prune({ keep: { last: 2 } })).toEqual(dry);
    expect((await snapshotter.list({ agent: "ana" })).snapshots.map((record) => record.id)).toEqual(ids.slice(0, 2));
    expect((await snapshotter.prune({ agent: "ana", keep: { last: 0 } })).kept).toHaveLength(1);
    await expect(snapshotter.prune({ agent: "ana", keep: { last: -1 } })).rejects.toMatchObject({ code: "E_USAGE" });
  });

  it("prunes no further once the lock is lost", async () => {
    const inner = memoryStore();
    let lose = (): void => undefined;
    const remove: BundleStore["delete"] = (key, options) => {
      lose();
      return inner.delete(key, options);
    };
    await using bench = await engineBench({ store: { ...inner, delete: remove } });
    await writeTree(bench.memory, { "notes/a": "a" });
    for (let count = 0; count < 20; count++) await bench.snapshotter.snapshot({ agent: "ana" });
    lose = () => bench.locks.lose("agents/default/ana");
    const pruning = bench.snapshotter.prune({ agent: "ana", keep: { last: 1 } });
    await expect(pruning).rejects.toMatchObject({ code: "E_LOCK_LOST" });
    // Those that were begun are gone whole.
    const { snapshots, missing } = await bench.snapshotter.list({ agent: "ana" });
    expect([snapshots.length >= 12, missing]).toEqual([true, []]);
  });

  /** Takes the newest snapshot's bundle away, as a disk does that is not mounted. */
  async function benchWithoutNewest() {
    const { bench, ids } = await benchWith(3);
    const { snapshots } = await bench.snapshotter.list({ agent: "ana" });
    await bench.store.delete(snapshots[0]?.bundlePath ?? "");
    return { bench, ids };
  }

  it("keeps as many whole ones as the rules say, whatever is missing", async () => {
    const { bench, ids } = await benchWithoutNewest();
    await using _bench = bench;
    const [newest = "", middle = "", oldest = ""] = ids;
    const { kept, deleted, reasons } = await bench.snapshotter.prune({ agent: "ana", keep: { last: 1 } });
    expect([kept, deleted]).toEqual([[newest, middle], [oldest]]);
    expect(reasons[newest]).toBe("its bundle is missing");
    expect((await bench.snapshotter.verify({ agent: "ana", ref: middle })).ok).toBe(true);
  });

  it("refuses the last whole one, and the newest whole one that was verified, though others have a record", async () => {
    const { bench, ids } = await benchWith(3);
    await using _bench = bench;
    const [newest = "", middle = "", oldest = ""] = ids;
    for (const ref of [oldest, middle, newest]) await bench.snapshotter.verify({ agent: "ana", ref });
    const { snapshots } = await bench.snapshotter.list({ agent: "ana" });
    await bench.store.delete(snapshots[0]?.bundlePath ?? "");
    const remove = (ref: string) => bench.snapshotter.delete({ agent: "ana", ref });
    await expect(remove(middle)).rejects.toMatchObject({ code: "E_NEWEST_VERIFIED" });
    await remove(oldest);
    await expect(remove(middle)).rejects.toMatchObject({ code: "E_LAST_SNAPSHOT" });
  });

  it("lets go of one whose bundle is missing when it is asked to", async () => {
    const { bench, ids } = await benchWithoutNewest();
    await using _bench = bench;
    const [newest = ""] = ids;
    expect(await bench.snapshotter.delete({ agent: "ana", ref: newest })).toEqual({ deleted: newest });
    expect((await bench.snapshotter.list({ agent: "ana" })).missing).toEqual([]);
  });
});
