import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { type BundleStore, KeepsakeError, sha256Hex, streamOf } from "@keepsake/core";
import { collect, faultyStore, memoryStore, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { engineBench, type EngineBench } from "./support/engine-bench.js";
import { fakeCipher } from "./support/fake-codec.js";
import { handMadeManifest, rawArchive } from "./support/hand-made.js";

const LATEST = { agent: "ana", ref: "latest" };
const SECRET = "the word is hunter2\n";
const read = (fileName: string) => (fileName.endsWith(".sealed") ? [fakeCipher()] : []);

async function taken(options: Parameters<typeof engineBench>[0] = {}): Promise<EngineBench> {
  const bench = await engineBench({ decoders: read, ...options });
  await writeTree(bench.memory, { "notes/a": SECRET });
  await bench.snapshotter.snapshot({ agent: "ana" });
  await writeTree(bench.dir.path, { out: { directory: true } });
  return bench;
}

const outOf = ({ dir }: EngineBench): Promise<string[]> => readdir(dir.join("out"));

describe("an export", () => {
  it("is the stored bundle, byte for byte, with its digest", async () => {
    await using bench = await taken();
    const { bundle, sha256File, fileSha256, id } = await bench.snapshotter.export({
      ...LATEST,
      to: bench.dir.join("out"),
    });
    expect(await outOf(bench)).toEqual([`${id}.tar`, `${id}.tar.sha256`]);
    expect(sha256Hex(await readFile(bundle))).toBe(fileSha256);
    expect(await readFile(sha256File, "utf8")).toBe(`${fileSha256}\n`);
    expect((await bench.snapshotter.verify({ bundleFile: bundle })).ok).toBe(true);
  });

  it.each(["x.tar", "x.tar.sha256"])("never goes over %s", async (name) => {
    await using bench = await taken();
    await writeTree(bench.dir.path, { [`out/${name}`]: "mine" });
    await expect(bench.snapshotter.export({ ...LATEST, to: bench.dir.join("out", "x.tar") })).rejects.toMatchObject({
      code: "E_ALREADY_EXISTS",
    });
    expect(await outOf(bench)).toEqual([name]);
    expect(await readFile(bench.dir.join("out", name), "utf8")).toBe("mine");
  });

  it("refuses a name that would not tell how to read it, and a folder that is not there", async () => {
    await using bench = await taken();
    for (const [to, code] of [
      ["out/x.tar.zst", "E_USAGE"],
      ["out/x", "E_USAGE"],
      ["nowhere/x.tar", "E_NOT_FOUND"],
      ["nowhere/", "E_NOT_FOUND"],
    ] as const)
      await expect(bench.snapshotter.export({ ...LATEST, to: bench.dir.join(to) })).rejects.toMatchObject({ code });
    expect(await outOf(bench)).toEqual([]);
  });

  it("of a damaged bundle leaves nothing", async () => {
    const inner = memoryStore();
    await using whole = await taken({ store: inner });
    await using bench = await engineBench({ store: faultyStore(inner, [{ on: "get", call: 2, cutAfterBytes: 700 }]) });
    await writeTree(bench.dir.path, { out: { directory: true } });
    await expect(bench.snapshotter.export({ ...LATEST, to: bench.dir.join("out") })).rejects.toMatchObject({
      code: "E_INTEGRITY",
    });
    expect(await outOf(bench)).toEqual([]);
    expect((await whole.snapshotter.verify(LATEST)).ok).toBe(true);
  });

  it("goes over what a crash left of an earlier one", async () => {
    await using bench = await taken();
    const to = bench.dir.join("out", "x.tar");
    const { snapshots } = await bench.snapshotter.list({ agent: "ana" });
    const partial = `.keepsake-export-${snapshots[0]?.id ?? ""}-${sha256Hex("x.tar").slice(0, 16)}.partial`;
    await writeTree(bench.dir.path, { [`out/${partial}`]: "half" });
    await bench.snapshotter.export({ ...LATEST, to });
    expect(await outOf(bench)).toEqual(["x.tar", "x.tar.sha256"]);
  });

  it("redacted on the way does not hold what was found; the stored one is as it was", async () => {
    await using bench = await taken();
    const { bundle } = await bench.snapshotter.export({ ...LATEST, to: bench.dir.join("out"), redact: true });
    const text = (await readFile(bundle)).toString("latin1");
    expect(text).toContain("[REDACTED:word]");
    expect(text).not.toContain("hunter2");
    expect((await bench.snapshotter.verify({ bundleFile: bundle })).ok).toBe(true);
    await expect(bench.snapshotter.restore({ agent: "ana", bundleFile: bundle })).rejects.toMatchObject({
      code: "E_REDACTED_BUNDLE",
    });
    expect(await readFile(`${bench.memory}/notes/a`, "utf8")).toBe(SECRET);
    expect((await bench.snapshotter.verify(LATEST)).ok).toBe(true);
  });

  it("of an encrypted bundle is encrypted, also when it is redacted", async () => {
    const asked: unknown[] = [];
    await using bench = await taken({
      encoders: (request) => {
        asked.push(request);
        return [fakeCipher()];
      },
    });
    asked.length = 0;
    const { bundle } = await bench.snapshotter.export({ ...LATEST, to: bench.dir.join("out"), redact: true });
    expect(asked).toMatchObject([{ forceEncryption: true }]);
    const bytes = await readFile(bundle);
    expect(bytes.toString("latin1")).not.toMatch(/hunter2|the word is|REDACTED/);
    expect(
      Buffer.from(await collect(fakeCipher().decode(toStream(bytes), { maxOutputBytes: 1 << 20 }))).toString("latin1"),
    ).toContain("[REDACTED:word]");
    const state = await readdir(bench.stateRoot, { recursive: true });
    expect(state.filter((name) => /^staging\/.*\/.*\//.test(name))).toEqual([]);
  });
});

async function* toStream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

describe("an import", () => {
  async function sent(manifest: object = {}): Promise<EngineBench & { readonly file: string }> {
    const bench = await engineBench({ decoders: read });
    const content = handMadeManifest([{ path: "notes/a", content: "a" }], manifest as Record<string, unknown>);
    const archive = await rawArchive([
      { name: "manifest.json", content },
      { name: "notes/a", content: "a" },
    ]);
    await writeTree(bench.dir.path, { "x.tar": archive, "x.tar.sha256": sha256Hex(archive) });
    return Object.assign(bench, { file: bench.dir.join("x.tar") });
  }

  const keysIn = async (store: BundleStore): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of store.list("")) keys.push(key);
    return keys;
  };

  it("is listed, verifies and restores like one taken here", async () => {
    await using bench = await sent({ label: "from afar" });
    const record = await bench.snapshotter.import({ agent: "ana", bundleFile: bench.file });
    expect(record).toMatchObject({ label: "from afar", agentId: "ana", artifactCount: 1 });
    expect((await bench.snapshotter.verify(LATEST)).ok).toBe(true);
    await bench.snapshotter.restore(LATEST);
    expect(await readFile(`${bench.memory}/notes/a`, "utf8")).toBe("a");
    await expect(bench.snapshotter.import({ agent: "ana", bundleFile: bench.file })).rejects.toMatchObject({
      code: "E_ALREADY_EXISTS",
    });
    expect(await keysIn(bench.store)).toHaveLength(3);
  });

  it.each([
    ["another agent's", { agent_id: "bob" }, "E_WRONG_AGENT"],
    ["another tenant's", { tenant: "other" }, "E_WRONG_TENANT"],
    ["one without a proper id", { snapshot_id: "../../x" }, "E_INVALID_ID|E_MANIFEST"],
  ])("%s is refused", async (_what, manifest, code) => {
    await using bench = await sent(manifest);
    const error: unknown = await bench.snapshotter
      .import({ agent: "ana", bundleFile: bench.file })
      .catch((reason: unknown) => reason);
    expect((error as { code: string }).code).toMatch(new RegExp(`^(${code})$`));
    expect(await keysIn(bench.store)).toEqual([]);
  });

  it("without its digest, or with another's, is refused", async () => {
    await using bench = await sent();
    for (const damage of [
      () => writeFile(`${bench.file}.sha256`, "0".repeat(64)),
      () => writeFile(`${bench.file}.sha256`, "?"),
      () => rm(`${bench.file}.sha256`),
    ]) {
      await damage();
      await expect(bench.snapshotter.import({ agent: "ana", bundleFile: bench.file })).rejects.toMatchObject({
        code: "E_INTEGRITY",
      });
    }
    await expect(
      bench.snapshotter.import({ agent: "ana", bundleFile: bench.dir.join("none.tar") }),
    ).rejects.toMatchObject({ code: "E_NOT_FOUND" });
    expect(await keysIn(bench.store)).toEqual([]);
  });
});

describe("an import over what a crash left of an earlier one", () => {
  /** A store with the body and the digest of a bundle, without a record; and the bundle's file. */
  async function orphaned(): Promise<EngineBench & { readonly bundle: string; readonly key: string }> {
    const bench = await taken();
    const { bundle } = await bench.snapshotter.export({ ...LATEST, to: bench.dir.join("out") });
    const key = (await bench.snapshotter.list({ agent: "ana" })).snapshots[0]?.bundlePath ?? "";
    await bench.store.delete(key.replace(/\.tar.*$/, ".json"));
    return Object.assign(bench, { bundle, key });
  }

  it.each(["", ".sha256"])("succeeds, whatever is there: all but %j", async (missing) => {
    await using bench = await orphaned();
    if (missing !== "") await bench.store.delete(`${bench.key}${missing}`);
    await bench.snapshotter.import({ agent: "ana", bundleFile: bench.bundle });
    expect((await bench.snapshotter.verify(LATEST)).checks.every(({ status }) => status === "ok")).toBe(true);
  });

  it("takes no other bundle of that name away: it may be all there is", async () => {
    await using bench = await orphaned();
    await bench.store.delete(bench.key);
    await bench.store.put(bench.key, streamOf("other bytes"));
    await expect(bench.snapshotter.import({ agent: "ana", bundleFile: bench.bundle })).rejects.toMatchObject({
      code: "E_ALREADY_EXISTS",
    });
    expect(Buffer.from(await collect((await bench.store.get(bench.key)).body)).toString()).toBe("other bytes");
  });

  it("keeps no file open when it is refused", async () => {
    await using bench = await orphaned();
    const store = faultyStore(bench.store, [{ on: "put", fail: new KeepsakeError("E_NO_SPACE", "Full.") }]);
    await using full = await engineBench({ store, decoders: read });
    await expect(full.snapshotter.import({ agent: "ana", bundleFile: bench.bundle })).rejects.toMatchObject({
      code: "E_NO_SPACE",
    });
    const open = await Promise.all(
      (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
    );
    expect(open.filter((path) => path.startsWith(bench.dir.path))).toEqual([]);
  });
});

describe("an import of a snapshot that is known", () => {
  const body = (bench: EngineBench): Promise<string> =>
    bench.snapshotter.list({ agent: "ana" }).then(({ snapshots }) => snapshots[0]?.bundlePath ?? "");

  it.each([
    ["whose bundle is gone", (store: BundleStore, key: string): Promise<unknown> => store.delete(key)],
    [
      "whose bundle is damaged",
      async (store: BundleStore, key: string): Promise<unknown> => {
        await store.delete(key);
        return store.put(key, streamOf("not it"));
      },
    ],
    ["whose digest is gone", (store: BundleStore, key: string): Promise<unknown> => store.delete(`${key}.sha256`)],
  ])("%s heals it, though it is the only one", async (_what, harm) => {
    await using bench = await taken();
    const { bundle } = await bench.snapshotter.export({ ...LATEST, to: bench.dir.join("out") });
    await harm(bench.store, await body(bench));
    expect((await bench.snapshotter.doctor({})).ok).toBe(false);
    await bench.snapshotter.import({ agent: "ana", bundleFile: bundle });
    expect((await bench.snapshotter.doctor({})).ok).toBe(true);
    const { ok, checks } = await bench.snapshotter.verify(LATEST);
    expect([ok, checks.every(({ status }) => status === "ok")]).toEqual([true, true]);
    await expect(bench.snapshotter.import({ agent: "ana", bundleFile: bundle })).rejects.toMatchObject({
      code: "E_ALREADY_EXISTS",
    });
  });
});

describe("a state root inside the memory", () => {
  it("is refused: every snapshot would change what it captures, and a restore remove what undoes it", async () => {
    await using bench = await taken();
    await mkdir(bench.stateRoot, { recursive: true });
    await symlink(bench.dir.path, bench.dir.join("alias"));
    for (const memory of [bench.dir.path, bench.stateRoot, bench.dir.join("alias")]) {
      await expect(bench.snapshotter.snapshot({ agent: "ana", memory })).rejects.toMatchObject({ code: "E_CONFIG" });
      await expect(bench.snapshotter.restore({ ...LATEST, memory })).rejects.toMatchObject({ code: "E_CONFIG" });
    }
  });
});

describe("doctor", () => {
  const named = async ({ snapshotter }: EngineBench, reindex = false) =>
    (await snapshotter.doctor({ reindex })).findings
      .filter(({ status }) => status !== "ok")
      .map(({ name, status }) => `${name} ${status}`);

  it("finds nothing where all is well, and says what is old", async () => {
    const clock = { now: Date.now() };
    await using bench = await taken({ nowMs: () => clock.now });
    expect(await named(bench)).toEqual([]);
    clock.now += 8 * 86_400_000;
    expect(await named(bench)).toEqual(["staleness warning"]);
  });

  it("finds missing bundles, bundles of another size, and records that are none", async () => {
    await using bench = await taken();
    const { snapshots } = await bench.snapshotter.list({ agent: "ana" });
    const id = snapshots[0]?.id ?? "";
    const bundlePath = snapshots[0]?.bundlePath ?? "";
    await bench.store.delete(bundlePath);
    expect(await named(bench)).toEqual(["bundle problem"]);
    await bench.store.put(bundlePath, toStream(Buffer.from("short")));
    expect(await named(bench)).toEqual(["bundle problem"]);
    await bench.store.delete(`tenants/default/snapshots/ana/${id}.json`);
    await bench.store.put(`tenants/default/snapshots/ana/${id}.json`, toStream(Buffer.from("{")));
    expect(await named(bench)).toEqual(["record problem"]);
  });

  it("gives a whole bundle its record again, and a damaged one none", async () => {
    await using bench = await taken();
    const { snapshots } = await bench.snapshotter.list({ agent: "ana" });
    const key = `tenants/default/snapshots/ana/${snapshots[0]?.id ?? ""}.json`;
    await bench.store.delete(key);
    expect(await named(bench)).toEqual(["orphan warning"]);
    expect(await named(bench, true)).toEqual([]);
    // Where the time went that taking it took, no bundle says.
    const [{ phasesMs: _phases, ...again } = { phasesMs: {} }] = snapshots;
    expect((await bench.snapshotter.list({ agent: "ana" })).snapshots).toEqual([again]);

    await bench.store.delete(key);
    const body = snapshots[0]?.bundlePath ?? "";
    const bytes = Buffer.from(await collect((await bench.store.get(body)).body));
    bytes[bytes.length - 3000] = (bytes[bytes.length - 3000] ?? 0) ^ 1;
    await bench.store.delete(body);
    await bench.store.put(body, toStream(bytes));
    expect(await named(bench, true)).toEqual(["reindex warning", "orphan warning"]);
    expect((await bench.snapshotter.list({ agent: "ana" })).snapshots).toEqual([]);
  });

  it("sweeps an upload without a record after a day, not before", async () => {
    const clock = { now: Date.now() };
    await using bench = await taken({ nowMs: () => clock.now });
    const { snapshots } = await bench.snapshotter.list({ agent: "ana" });
    await bench.store.delete(`tenants/default/snapshots/ana/${snapshots[0]?.id ?? ""}.json`);
    expect((await bench.snapshotter.recover({})).swept).toEqual([]);
    clock.now += 25 * 3_600_000;
    expect((await bench.snapshotter.recover({})).swept).toHaveLength(2);
    expect(await named(bench)).toEqual([]);
  });

  it("says when the state root is no place to write to", async () => {
    await using bench = await taken();
    await rm(bench.stateRoot, { recursive: true });
    await writeFile(bench.stateRoot, "a file");
    expect(await named(bench)).toEqual(["state_root problem"]);
  });
});
