import { type BundleStore, KeepsakeError, sha256Hex } from "@keepsake/core";
import { chunked, collect, faultyStore, memoryStore, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { engineBench, type EngineBench } from "./support/engine-bench.js";
import { fakeCipher, keylessCipher } from "./support/fake-codec.js";
import { handMadeManifest, rawArchive } from "./support/hand-made.js";

async function keyOf(store: BundleStore, end: string): Promise<string> {
  for await (const { key } of store.list("")) if (key.endsWith(end)) return key;
  throw new Error(`nothing ends in ${end}`);
}

/** Replaces a stored object, as nobody may. */
async function tamper(store: BundleStore, end: string, change: (bytes: Buffer) => Uint8Array): Promise<void> {
  const key = await keyOf(store, end);
  const bytes = Buffer.from(await collect((await store.get(key)).body));
  await store.delete(key);
  await store.put(key, chunked(change(bytes)));
}

/** Makes `.sha256` and record agree with a changed bundle, as an attacker who can write them would. */
async function agree(store: BundleStore): Promise<void> {
  const bytes = await collect((await store.get(await keyOf(store, ".tar"))).body);
  await tamper(store, ".sha256", () => Buffer.from(`${sha256Hex(bytes)}\n`));
  await tamper(store, ".json", (record) =>
    Buffer.from(record.toString().replace(/"file_sha256": "[0-9a-f]+"/, `"file_sha256": "${sha256Hex(bytes)}"`)),
  );
}

async function statuses({ snapshotter }: EngineBench): Promise<{ ok: boolean; checks: Record<string, string> }> {
  const { ok, checks } = await snapshotter.verify({ agent: "ana", ref: "latest" });
  return { ok, checks: Object.fromEntries(checks.map(({ name, status }) => [name, status])) };
}

async function taken(options: Parameters<typeof engineBench>[0] = {}): Promise<EngineBench> {
  const bench = await engineBench(options);
  await writeTree(bench.memory, { "notes/a": "content of a\n", "notes/b": "b\n" });
  await bench.snapshotter.snapshot({ agent: "ana", label: "mine" });
  return bench;
}

const ALL_OK = {
  file_digest: "ok",
  manifest: "ok",
  manifest_seal: "ok",
  content_digest: "ok",
  artifacts: "ok",
  record: "ok",
};

describe("verify", () => {
  it("says of each check that it passed, and notes when", async () => {
    await using bench = await taken({ nowMs: () => 1_234_000 });
    expect(await statuses(bench)).toEqual({ ok: true, checks: ALL_OK });
    expect((await bench.snapshotter.list({ agent: "ana" })).snapshots).toMatchObject([{ verifiedAtMs: 1_234_000 }]);
    const deep = await bench.snapshotter.verify({ agent: "ana", ref: "latest", deep: true });
    expect(deep.checks.at(-1)).toEqual({ name: "restorable", status: "ok" });
  });

  const flip = (text: string, by: string) => (bytes: Buffer) =>
    Buffer.from(bytes.toString("latin1").replace(text, by), "latin1");

  it.each([
    ["file_digest", async (store: BundleStore) => tamper(store, ".sha256", () => Buffer.from(`${"0".repeat(64)}\n`))],
    ["file_digest", async (store: BundleStore) => tamper(store, ".sha256", () => Buffer.from("none"))],
    ["file_digest", async (store: BundleStore) => store.delete(await keyOf(store, ".sha256"))],
    [
      "manifest",
      async (store: BundleStore) => {
        await tamper(store, ".tar", flip('"manifest_version"', '"manifest_verfion"'));
        await agree(store);
      },
    ],
    [
      "manifest_seal",
      async (store: BundleStore) => {
        await tamper(store, ".tar", flip('"label": "mine"', '"label": "nine"'));
        await agree(store);
      },
    ],
    [
      "artifacts",
      async (store: BundleStore) => {
        await tamper(store, ".tar", flip("content of a", "content of b"));
        await agree(store);
      },
    ],
    ["record", async (store: BundleStore) => tamper(store, ".json", sealOff)],
  ])("says what failed: %s", async (name, damage) => {
    const store = memoryStore();
    await using bench = await taken({ store });
    await damage(store);
    const { ok, checks } = await statuses(bench);
    expect(ok).toBe(false);
    expect(checks[name]).toBe("failed");
    expect((await bench.snapshotter.list({ agent: "ana" })).snapshots[0]).not.toHaveProperty("verifiedAtMs");
  });

  it("says of the content digest alone that it failed, when a seal was made over a wrong one", async () => {
    await using bench = await engineBench();
    const content = handMadeManifest([{ path: "notes/a", content: "a" }], { bundle_sha256: "0".repeat(64) });
    const archive = await rawArchive([
      { name: "manifest.json", content },
      { name: "notes/a", content: "a" },
    ]);
    await writeTree(bench.dir.path, { "x.tar": archive, "x.tar.sha256": sha256Hex(archive) });
    const { ok, checks } = await bench.snapshotter.verify({ bundleFile: bench.dir.join("x.tar") });
    expect(ok).toBe(false);
    expect(checks.filter(({ status }) => status !== "ok")).toMatchObject([
      { name: "content_digest", status: "failed" },
    ]);
  });

  it("says not_checked of what needs a key, and failed of nothing", async () => {
    const decoders = [() => [keylessCipher()], () => [fakeCipher()]];
    const use = { at: 0 };
    await using bench = await taken({ encoders: () => [fakeCipher()], decoders: () => decoders[use.at]?.() ?? [] });
    const unopened = await statuses(bench);
    expect(unopened.ok).toBe(true);
    expect(unopened.checks).toEqual({
      ...Object.fromEntries(Object.keys(ALL_OK).map((name) => [name, "not_checked"])),
      file_digest: "ok",
    });
    expect((await bench.snapshotter.list({ agent: "ana" })).snapshots[0]).not.toHaveProperty("verifiedAtMs");
    use.at = 1;
    expect(await statuses(bench)).toEqual({ ok: true, checks: ALL_OK });
  });

  it("throws what says nothing about the bundle, and calls it neither good nor bad", async () => {
    const inner = memoryStore();
    await using whole = await taken({ store: inner });
    const store = faultyStore(inner, [{ on: "get", call: 2, fail: new KeepsakeError("E_IO", "No route.") }]);
    await using bench = await engineBench({ store });
    await expect(bench.snapshotter.verify({ agent: "ana", ref: "latest" })).rejects.toMatchObject({ code: "E_IO" });
    expect((await statuses(whole)).ok).toBe(true);
  });

  it("holds in a store that only reads", async () => {
    const inner = memoryStore();
    await using whole = await taken({ store: inner });
    await using bench = await engineBench({
      store: faultyStore(inner, [{ on: "replace", fail: new KeepsakeError("E_READ_ONLY", "No.") }]),
    });
    expect((await statuses(bench)).ok).toBe(true);
    expect((await whole.snapshotter.list({ agent: "ana" })).snapshots[0]).not.toHaveProperty("verifiedAtMs");
  });
});

function sealOff(record: Buffer): Uint8Array {
  return Buffer.from(record.toString().replace(/"manifest_seal": "[0-9a-f]+"/, `"manifest_seal": "${"0".repeat(64)}"`));
}
