import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { type ArtifactMeta, parseArtifactPath, sha256Hex } from "@keepsake/core";
import { SmallFiles } from "@keepsake/files";
import { collect, tempDir } from "@keepsake/testkit";
import { extract } from "tar-stream";
import { describe, expect, it } from "vitest";
import { plainArchive } from "../src/bundle/encode-archive.js";
import { archiveSegments } from "../src/bundle/segments.js";
import type { StagedArtifactFile } from "../src/bundle/staged-bundle.js";

const MANIFEST = Buffer.from("{}");
const KIB = 1024;

function metaOf(path: string, bytes: Buffer): ArtifactMeta {
  const facts = { sizeBytes: bytes.length, sha256: sha256Hex(bytes), mode: 0o644, mtimeMs: 1_000_000 };
  return { pathInBundle: parseArtifactPath(path), kind: "note", source: "notes", type: "file", ...facts };
}

const bytesOf = (size: number, seed = 1): Buffer =>
  Buffer.from(Array.from({ length: size }, (_none, index) => (index * seed) % 251));

/** What a tar reader finds in an archive. */
async function entriesOf(archive: Uint8Array): Promise<readonly (readonly [string, string, string])[]> {
  const reader = extract();
  reader.end(archive);
  const found: (readonly [string, string, string])[] = [];
  for await (const entry of reader as AsyncIterable<
    AsyncIterable<Uint8Array> & { header: { name: string; type: string } }
  >) {
    const hash = createHash("sha256").update(await collect(entry));
    found.push([entry.header.name, entry.header.type, hash.digest("hex")]);
  }
  return found;
}

describe("the segments of an archive", () => {
  it("hold every kind of entry, empty files and such of every size about a border", async () => {
    await using dir = await tempDir();
    using small = new SmallFiles(dir.join("small"));
    const staged: StagedArtifactFile[] = [];
    const sizes = [0, 1, 511, 512, 513, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 300_000, 0];
    for (const [index, size] of sizes.entries()) {
      const bytes = bytesOf(size, index + 1);
      const meta = metaOf(`notes/${String(index)}-${"long".repeat(index * 4)}.md`, bytes);
      if (index % 2 === 0 && size <= 256 * KIB) staged.push({ meta, kept: small.keep(bytes) });
      else {
        await writeFile(dir.join(String(index)), bytes);
        staged.push({ meta, file: dir.join(String(index)) });
      }
    }
    const none = { ...metaOf("notes/x", Buffer.alloc(0)), sha256: sha256Hex("") };
    staged.push({ meta: { ...none, pathInBundle: parseArtifactPath("notes/x"), type: "directory", mode: 0o755 } });
    const link = { pathInBundle: parseArtifactPath("notes/y"), type: "symlink" as const, linkTarget: "x" };
    staged.push({ meta: { ...none, ...link, mode: 0o777 } });
    const archive = await collect(plainArchive(archiveSegments(MANIFEST, staged), {}));
    expect(await entriesOf(archive)).toEqual([
      ["manifest.json", "file", sha256Hex(MANIFEST)],
      ...staged.map(({ meta }) => [
        meta.type === "directory" ? `${meta.pathInBundle}/` : meta.pathInBundle,
        meta.type,
        meta.type === "symlink" ? sha256Hex("") : meta.sha256,
      ]),
    ]);
  });

  it("are the same where nothing changed, whatever is added, changed or removed elsewhere", () => {
    const notes = Array.from({ length: 8_000 }, (_none, index) => {
      const bytes = Buffer.from(`note ${String(index)} `.repeat(300));
      return { meta: metaOf(`notes/note-${String(index).padStart(5, "0")}.md`, bytes) };
    });
    const keys = (artifacts: readonly StagedArtifactFile[]) =>
      [...archiveSegments(MANIFEST, artifacts)].flatMap(({ key }) => key ?? []);
    const before = new Set(keys(notes));
    expect(before.size).toBeGreaterThan(20);
    const changed = notes.flatMap((note, index) => {
      if (index === 100) return [{ meta: { ...note.meta, sha256: sha256Hex("changed") } }];
      if (index === 6_000) return [];
      return index === 3_600 ? [note, { meta: metaOf("notes/note-03600a.md", bytesOf(9_000)) }] : [note];
    });
    const after = keys(changed);
    // Of each change a few segments about it.
    expect(after.filter((key) => !before.has(key)).length).toBeLessThanOrEqual(12);
  });
});
