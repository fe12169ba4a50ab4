import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type BundleStore, type ByteStream, type Codec, parseArtifactPath, sha256Hex, streamOf } from "@keepsake/core";
import { localFs } from "@keepsake/local-fs";
import { collect, type TempDir, tempDir } from "@keepsake/testkit";
import { zstd } from "@keepsake/zstd";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeArchive } from "../packages/engine/src/bundle/encode-archive.js";
import { rangesOf } from "../packages/engine/src/bundle/ranged-bundle.js";
import { archiveSegments } from "../packages/engine/src/bundle/segments.js";
import type { StagedArtifactFile } from "../packages/engine/src/bundle/staged-bundle.js";
import { FramesAhead } from "../packages/engine/src/bundle/frames-ahead.js";
import type { StoredFrames, StoredSegment } from "../packages/engine/src/bundle/stored-frames.js";
import { EarlierBundle, NotAsItWas } from "../packages/engine/src/bundle/taken-over.js";

const FRAME_BYTES = 64 * 1024;
const FRAMES = 20;
const KEY = "bundle.tar.zst";

let dir: TempDir;
let store: BundleStore;
let encoded = 0;

beforeEach(async () => {
  dir = await tempDir();
  store = localFs({ root: dir.join("store") });
  encoded = 0;
});

afterEach(async () => dir[Symbol.asyncDispose]());

/** zstd that counts what it has to encode. */
function counting(): Codec {
  const codec = zstd({ frameBytes: FRAME_BYTES });
  const { frames } = codec;
  if (frames === undefined) throw new TypeError("zstd has frames.");
  const encodeFrame = async (content: Uint8Array): Promise<Uint8Array> => {
    encoded += 1;
    return frames.encodeFrame(content);
  };
  return { ...codec, frames: { ...frames, encodeFrame } };
}

async function staged(bytes: Buffer): Promise<readonly StagedArtifactFile[]> {
  const file = dir.join(sha256Hex(bytes));
  await writeFile(file, bytes);
  const facts = { sizeBytes: bytes.length, sha256: sha256Hex(bytes), mode: 0o644, mtimeMs: 1_000_000 };
  const meta = {
    pathInBundle: parseArtifactPath("sqlite/a.sqlite"),
    kind: "sqlite",
    source: "sqlite",
    type: "file",
  } as const;
  return [{ meta: { ...meta, ...facts }, file }];
}

/** @returns the encoded archive, and where its segments lie */
async function encode(bytes: Buffer, earlier?: StoredFrames) {
  const segments = new Map<string, StoredSegment>();
  const onSegment = (key: string, stored: StoredSegment) => segments.set(key, stored);
  const archive = archiveSegments(Buffer.from("{}"), await staged(bytes));
  return { output: await collect(encodeArchive(archive, [counting()], { earlier, onSegment })), segments };
}

/** The store, and what is read of it. */
function watched(): { store: BundleStore; ranges: number; open: number } {
  const watching = { store, ranges: 0, open: 0 };
  async function* counted(body: ByteStream): AsyncGenerator<Uint8Array> {
    watching.open += 1;
    try {
      yield* body;
    } finally {
      watching.open -= 1;
    }
  }
  watching.store = {
    ...store,
    async get(key, options) {
      watching.ranges += 1;
      const { object, body } = await store.get(key, options);
      return { object, body: counted(body) };
    },
  };
  return watching;
}

async function earlierOf(bytes: Buffer, damagedAt?: number, from = store): Promise<EarlierBundle> {
  const { output, segments } = await encode(bytes);
  const copy = Buffer.from(output);
  if (damagedAt !== undefined) copy[damagedAt] = (copy[damagedAt] ?? 0) ^ 1;
  await store.put(KEY, streamOf(copy));
  encoded = 0;
  return new EarlierBundle(rangesOf(from, placeOf(copy)), counting(), segments);
}

const placeOf = ({ length }: Uint8Array) => ({ bundlePath: KEY, bundleSizeBytes: length });

/** The same, with some bytes in the middle changed. */
function changed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.write("changed", Math.floor(FRAMES / 2) * FRAME_BYTES + 1_000);
  return copy;
}

describe("a large file that has changed in one place", () => {
  const before = randomBytes(FRAMES * FRAME_BYTES);
  const after = changed(before);

  it("is encoded again there alone, to the very bytes that encoding all of it gives", async () => {
    const { output, segments } = await encode(after, await earlierOf(before));
    // The manifest, the end of the archive, and the frame with what was changed.
    expect(encoded).toBe(3);
    const alone = await encode(after);
    expect(encoded).toBeGreaterThan(FRAMES);
    expect(Buffer.from(output).equals(alone.output)).toBe(true);
    expect(segments).toEqual(alone.segments);
  });

  it("is taken over again from what was taken over", async () => {
    const second = await encode(after, await earlierOf(before));
    await store.delete(KEY);
    await store.put(KEY, streamOf(second.output));
    encoded = 0;
    const { output } = await encode(
      before,
      new EarlierBundle(rangesOf(store, placeOf(second.output)), counting(), second.segments),
    );
    expect(encoded).toBe(3);
    expect(Buffer.from(output).equals((await encode(before)).output)).toBe(true);
  });

  it("is not made of frames that are not what they were", async () => {
    const earlier = await earlierOf(before, 3 * FRAME_BYTES);
    await expect(encode(after, earlier)).rejects.toThrow(NotAsItWas);
  });

  it("is read at once where its frames lie one after the other", async () => {
    const reading = watched();
    await encode(after, await earlierOf(before, undefined, reading.store));
    // Before what was changed, and behind it.
    expect(reading).toMatchObject({ ranges: 2, open: 0 });
  });

  it("takes over what lies on both sides of something that is gone", async () => {
    // Where a frame begins: before it stands the header of the entry.
    const [from, to] = [4 * FRAME_BYTES - 512, 9 * FRAME_BYTES - 512];
    const shorter = Buffer.concat([before.subarray(0, from), before.subarray(to)]);
    const reading = watched();
    const { output } = await encode(shorter, await earlierOf(before, undefined, reading.store));
    // The manifest, the end of the archive, and the frame with the header, which says another size.
    expect([encoded, reading.ranges]).toEqual([3, 2]);
    expect(Buffer.from(output).equals((await encode(shorter)).output)).toBe(true);
  });

  it("is closed when nobody wants the rest", async () => {
    const reading = watched();
    const archive = archiveSegments(Buffer.from("{}"), await staged(after));
    const earlier = await earlierOf(before, undefined, reading.store);
    for await (const _chunk of encodeArchive(archive, [counting()], { earlier, onSegment: () => undefined })) {
      if (reading.ranges > 0) break;
    }
    expect(reading).toMatchObject({ open: 0 });
    expect(reading.ranges).toBeGreaterThan(0);
  });

  it("does not mind damage where nothing is taken over", async () => {
    const earlier = await earlierOf(before, Math.floor((FRAMES / 2 + 0.5) * FRAME_BYTES));
    await expect(encode(after, earlier)).resolves.toBeDefined();
  });
});

describe("a large file that is encoded ahead", () => {
  const bytes = randomBytes(FRAMES * FRAME_BYTES);

  async function ahead(file: string): Promise<FramesAhead> {
    const { frames } = counting();
    if (frames === undefined) throw new TypeError("zstd has frames.");
    const begun = new FramesAhead(frames, file);
    for (const artifact of await staged(bytes)) begun.add(artifact);
    return begun;
  }

  it("need not be encoded when its turn comes, and is the very same", async () => {
    const alone = await encode(bytes);
    await using begun = await ahead(dir.join("ahead"));
    // Else it would be left to whoever asks.
    await expect.poll(() => encoded).toBeGreaterThan(2 * FRAMES);
    // Its frames have taken its place.
    await expect.poll(() => existsSync(dir.join(sha256Hex(bytes)))).toBe(false);
    encoded = 0;
    const { output, segments } = await encode(bytes, begun);
    expect(encoded).toBeLessThan(FRAMES);
    expect(Buffer.from(output).equals(alone.output)).toBe(true);
    expect(segments).toEqual(alone.segments);
  });

  it("is encoded when its turn comes where nothing could be kept", async () => {
    await using begun = await ahead(dir.join("nowhere/ahead"));
    const { output } = await encode(bytes, begun);
    expect(Buffer.from(output).equals((await encode(bytes)).output)).toBe(true);
  });

  it("is left off when nobody wants it any more", async () => {
    const begun = await ahead(dir.join("ahead"));
    await begun[Symbol.asyncDispose]();
    const { output } = await encode(bytes, begun);
    expect(Buffer.from(output).equals((await encode(bytes)).output)).toBe(true);
  });
});
