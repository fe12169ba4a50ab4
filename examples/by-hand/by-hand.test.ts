import { readdir, readFile, writeFile } from "node:fs/promises";
import { age, generateIdentity } from "@keepsake/age";
import type { ArtifactSource, BundleStore, Codec } from "@keepsake/core";
import { localFs } from "@keepsake/local-fs";
import { memdir } from "@keepsake/memdir";
import { chunked, collect, faultyStore, memoryStore, tempDir, treeDigest, writeTree } from "@keepsake/testkit";
import { zstd } from "@keepsake/zstd";
import { describe, expect, it } from "vitest";

interface Outcome {
  readonly artifacts: readonly { readonly path: string; readonly key?: string }[];
  readonly missing: readonly { readonly path: string; readonly reason: string }[];
}
interface Parts {
  readonly source: ArtifactSource;
  readonly codecs: readonly Codec[];
  readonly store: BundleStore;
}
const { keep, takeOut } = (await import(new URL("./by-hand.mjs", import.meta.url).href)) as {
  keep: (
    parts: Parts,
    request: { agent: string; memory: string; name: string; signal?: AbortSignal },
  ) => Promise<Outcome>;
  takeOut: (parts: Omit<Parts, "source">, request: { name: string; folder: string }) => Promise<Outcome>;
};

const NOTES = {
  "ana/note.md": { file: "the secret of the well\n".repeat(500), mode: 0o640, mtimeMs: 1_700_000_000_000 },
  "ana/empty": { directory: true, mode: 0o750 },
  "ana/deep/er/book.json": { file: "{}\n", mtimeMs: 1_600_000_000_000 },
} as const;

const keysOf = async (store: BundleStore): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of store.list("")) keys.push(key);
  return keys;
};

describe("a pipeline by hand", () => {
  it("keeps notes compressed and encrypted, and takes them out as they were", async () => {
    await using dir = await tempDir();
    await writeTree(dir.path, NOTES);
    const { identity, recipient } = await generateIdentity();
    const codecs = [zstd(), age({ recipients: [recipient], identities: [identity] })];
    const parts = { source: memdir(), codecs, store: localFs({ root: dir.join("kept") }) };
    const { artifacts, missing } = await keep(parts, { agent: "ana", memory: dir.join("ana"), name: "monday" });
    expect(missing).toEqual([]);
    expect(artifacts.map(({ path }) => path).sort()).toEqual([
      "deep",
      "deep/er",
      "deep/er/book.json",
      "empty",
      "note.md",
    ]);
    expect(await keysOf(parts.store)).toContain("monday/index.zst.age");
    for (const key of await keysOf(parts.store)) {
      expect(Buffer.from(await collect((await parts.store.get(key)).body)).includes("secret of the well")).toBe(false);
    }

    const before = await treeDigest(dir.join("ana"), { mtimes: "files" });
    await writeFile(dir.join("ana/note.md"), "changed\n");
    await takeOut(parts, { name: "monday", folder: dir.join("out") });
    expect(await treeDigest(dir.join("out"), { mtimes: "files" })).toEqual(before);
  });

  it("shows nothing of what it could not keep whole", async () => {
    await using dir = await tempDir();
    await writeTree(dir.path, NOTES);
    const store = memoryStore();
    // Two files, then the index.
    const broken = faultyStore(store, [{ on: "put", call: 3, fail: new Error("the disk is full") }]);
    const parts = { source: memdir(), codecs: [zstd()], store: broken };
    const kept = keep(parts, { agent: "ana", memory: dir.join("ana"), name: "monday" });
    await expect(kept).rejects.toThrow("the disk is full");
    expect(await keysOf(store)).toEqual([]);
    await expect(
      takeOut({ codecs: [zstd()], store }, { name: "monday", folder: dir.join("out") }),
    ).rejects.toMatchObject({
      code: "E_NOT_FOUND",
    });
  });

  it("does not touch what has the same name", async () => {
    await using dir = await tempDir();
    await writeTree(dir.path, NOTES);
    const parts = { source: memdir(), codecs: [], store: memoryStore() };
    const request = { agent: "ana", memory: dir.join("ana"), name: "monday" };
    await keep(parts, request);
    const before = await keysOf(parts.store);
    await expect(keep(parts, request)).rejects.toMatchObject({ code: "E_ALREADY_EXISTS" });
    expect(await keysOf(parts.store)).toEqual(before);
  });

  it.each([
    ["E_INTEGRITY", "the secret", "THE secret"],
    ["E_LIMIT", "of the well", "of the very deep well"],
    ["E_UNSAFE_PATH", '"path":"note.md"', '"path":"../note.md"'],
  ])(
    "ends with %s where the store gives another thing than was kept, and leaves no half of it",
    async (code, was, is) => {
      await using dir = await tempDir();
      await writeTree(dir.path, NOTES);
      const [store, other] = [memoryStore(), memoryStore()];
      await keep(
        { source: memdir(), codecs: [zstd()], store },
        { agent: "ana", memory: dir.join("ana"), name: "monday" },
      );
      const unlimited = { maxOutputBytes: 2 ** 24 };
      for (const key of await keysOf(store)) {
        const text = Buffer.from(await collect(zstd().decode((await store.get(key)).body, unlimited))).toString();
        await other.put(key, zstd().encode(chunked(text.replace(was, is))));
      }
      const taken = takeOut({ codecs: [zstd()], store: other }, { name: "monday", folder: dir.join("out") });
      await expect(taken).rejects.toMatchObject({ code });
      expect(await readdir(dir.path)).toEqual(["ana"]);
      expect(await readFile(dir.join("ana/note.md"), "utf8")).toContain("the secret");
    },
  );
});
