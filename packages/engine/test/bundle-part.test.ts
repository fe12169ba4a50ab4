import { createHash } from "node:crypto";
import {
  type ArtifactMeta,
  type ByteRange,
  isKeepsakeError,
  type RangedBytes,
  type SnapshotRecord,
} from "@keepsake/core";
import { chunked, collect } from "@keepsake/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BundlePart } from "../src/bundle/bundle-part.js";
import { entryPlaces } from "../src/bundle/entry-places.js";
import { FramedContent } from "../src/bundle/framed-content.js";
import { headerOf, packEntries, TAR_END } from "../src/bundle/tar-entries.js";
import { fakeCipher } from "./support/fake-codec.js";
import { frameCodec as codec } from "./support/fake-frames.js";

const { frames } = codec;

function rangedBytes(bytes: Uint8Array): RangedBytes & { readonly asked: ByteRange[] } {
  const asked: ByteRange[] = [];
  return {
    asked,
    sizeBytes: bytes.length,
    read(range) {
      asked.push(range);
      return chunked(bytes.subarray(range.start, range.start + range.length), 10_007);
    },
  };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "ok",
    (error: unknown) => (isKeepsakeError(error) ? error.code : String(error)),
  );

describe("the places of entries", () => {
  const name = fc
    .array(fc.stringMatching(/^[a-zé日🦊 _.%-]{1,60}$/u), { minLength: 1, maxLength: 6 })
    .map((parts) => `files/${parts.join("/")}`);
  const artifact = fc
    .record({
      pathInBundle: name,
      type: fc.constantFrom("file" as const, "directory" as const, "symlink" as const),
      content: fc.uint8Array({ maxLength: 1_100 }),
      target: fc.stringMatching(/^[a-zé/]{1,140}$/),
      mtimeMs: fc.integer({ min: -10, max: 2_000_000_000_000 }),
    })
    .map(({ pathInBundle, type, content, target, mtimeMs }) => {
      const bytes = Buffer.from(type === "file" ? content : []);
      const meta: ArtifactMeta = {
        pathInBundle,
        kind: "memory_file",
        source: "files",
        type,
        mode: 0o644,
        mtimeMs,
        sizeBytes: bytes.length,
        sha256: createHash("sha256").update(bytes).digest("hex"),
        ...(type === "symlink" ? { linkTarget: target } : {}),
      };
      return { meta, bytes };
    });

  it("are those where the archive has them, whatever their names", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(artifact, { selector: ({ meta }) => meta.pathInBundle, maxLength: 8 }),
        fc.uint8Array({ minLength: 1, maxLength: 5_000 }),
        async (artifacts, manifest) => {
          const entry = ({ meta, bytes }: (typeof artifacts)[number]) => packEntries([[headerOf(meta), bytes]]);
          const head = { name: "manifest.json", mode: 0o644, mtime: new Date(0), size: manifest.length };
          const parts = [await packEntries([[head, Buffer.from(manifest)]])];
          for (const one of artifacts) parts.push(await entry(one));
          const archive = Buffer.concat([...parts, TAR_END]);
          const places = await entryPlaces(
            artifacts.map(({ meta }) => meta),
            archive.length,
          );
          for (const one of artifacts) {
            const { start, length } = places?.get(one.meta.pathInBundle) ?? { start: 0, length: 0 };
            expect(archive.subarray(start, start + length).equals(await entry(one))).toBe(true);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("are none where the archive is shorter than its entries", async () => {
    const meta: ArtifactMeta = {
      ...{ pathInBundle: "files/a", kind: "memory_file", source: "files", type: "file", mode: 0o644, mtimeMs: 0 },
      ...{ sizeBytes: 2_000, sha256: "0".repeat(64) },
    };
    expect(await entryPlaces([meta], 2_048 + 512 + 1_024 + 512)).toBeDefined();
    expect(await entryPlaces([meta], 2_048 + 512 + 1_024)).toBeUndefined();
  });
});

describe("the content of frames", () => {
  /** Frames of these sizes, and what is in them. */
  async function framed(sizes: readonly number[]) {
    const content = Buffer.from(
      Uint8Array.from({ length: sizes.reduce((sum, size) => sum + size, 0) }, (_none, at) => (at * 31) >> 3),
    );
    const made: Uint8Array[] = [];
    let at = 0;
    for (const size of sizes) made.push(await frames.encodeFrame(content.subarray(at, (at += size))));
    const index = made.map((frame, place) => ({ contentBytes: sizes[place] ?? 0, encodedBytes: frame.length }));
    return { content, index, bytes: Buffer.concat([...made, frames.index(index)]) };
  }

  it("comes for any ranges, each frame that holds some of them is read once, and no other", async () => {
    const { content, bytes, index } = await framed([1_000, 65_536, 65_536, 300, 0, 20_000, 65_536, 7]);
    const ends = [1_000, 66_536, 132_072, 132_372, 132_372, 152_372, 217_908, 217_915];
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.oneof(fc.nat(content.length), fc.constantFrom(...ends)), { maxLength: 8 }),
        async (cuts) => {
          const sorted = cuts.toSorted((a, b) => a - b);
          const ranges = sorted.flatMap((start, at) => {
            const end = at % 2 === 0 ? sorted[at + 1] : undefined;
            return end === undefined ? [] : [{ start, length: end - start }];
          });
          const encoded = rangedBytes(bytes);
          const opened = await FramedContent.open(encoded, codec, {});
          encoded.asked.length = 0;
          const read = await collect(opened?.read(ranges, {}) ?? chunked(""));
          const expected = ranges.map(({ start, length }) => content.subarray(start, start + length));
          expect(Buffer.concat(expected).equals(read)).toBe(true);
          const needed = index.filter(({ contentBytes }, at) => {
            const end = ends[at] ?? 0;
            return (
              contentBytes > 0 && ranges.some(({ start, length }) => start < end && end - contentBytes < start + length)
            );
          });
          const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0);
          expect(sum(encoded.asked.map(({ length }) => length))).toBe(sum(needed.map((one) => one.encodedBytes)));
          const inOrder = encoded.asked.every(({ start }, at) => {
            const before = encoded.asked[at - 1];
            return before === undefined || before.start + before.length <= start;
          });
          expect(inOrder, "read twice").toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("begins with the first piece, and no more is read for it", async () => {
    for (const [sizes, head] of [
      [[500, 65_536, 10], 500],
      [[65_536, 65_536, 9, 65_536], 131_081],
      [[65_536, 65_536], 131_072],
      [[], 0],
    ] as const) {
      const { content, bytes } = await framed(sizes);
      const opened = await FramedContent.open(rangedBytes(bytes), codec, {});
      const read = await collect(opened?.head({}) ?? chunked("none"));
      expect(content.subarray(0, head).equals(read)).toBe(true);
    }
  });

  it("fails when a frame does not hold what the index says", async () => {
    const { bytes, index } = await framed([1_000, 2_000]);
    const body = bytes.subarray(0, bytes.length - frames.index(index).length);
    for (const change of [-1, 1]) {
      const wrong = index.map((size, at) => (at === 0 ? { ...size, contentBytes: size.contentBytes + change } : size));
      const encoded = rangedBytes(Buffer.concat([body, frames.index(wrong)]));
      const opened = await FramedContent.open(encoded, codec, {});
      const reading = collect(opened?.read([{ start: 0, length: 10 }], {}) ?? chunked(""));
      expect(await codeOf(reading)).toMatch(/^E_(INTEGRITY|LIMIT)$/);
    }
  });

  it("is not opened without an index, nor by one that is too large to be read for a part", async () => {
    expect(await FramedContent.open(rangedBytes(Buffer.from("no index at all")), codec, {})).toBeUndefined();
    const claim = Buffer.alloc(4);
    claim.writeUInt32LE(100_000_000);
    let read = 0;
    const huge: RangedBytes = {
      sizeBytes: 2 ** 40,
      async *read({ length }) {
        read += length;
        yield Buffer.concat([Buffer.alloc(length - claim.length), claim]);
      },
    };
    expect(await codeOf(FramedContent.open(huge, codec, {}))).toBe("E_LIMIT");
    expect(read).toBeLessThan(100_000);
  });
});

describe("a part of a bundle", () => {
  it("is not read by itself through a codec that opens at its beginning alone", async () => {
    const bytes = rangedBytes(Buffer.alloc(100));
    const record = { manifestSeal: "0".repeat(64) } as SnapshotRecord;
    const options = { limits: { maxManifestBytes: 1_000 } };
    expect(await BundlePart.open({ record, bytes }, [fakeCipher(), codec], options)).toBeUndefined();
    expect(await BundlePart.open({ record, bytes }, [fakeCipher()], options)).toBeUndefined();
    expect(await BundlePart.open({ record, bytes }, [], options)).toBeUndefined();
    expect(bytes.asked).toEqual([]);
  });
});
