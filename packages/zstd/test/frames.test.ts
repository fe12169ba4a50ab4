import { type FrameCodec, isKeepsakeError } from "@keepsake/core";
import { codecConformance } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { readSeekTable, writeSeekTable } from "../src/seek-table.js";
import { zstd } from "../src/zstd.js";

const CASES = ["codec.frames", "codec.frames.index"];

/** Which of the cases for frames a codec fails whose frames are changed so. */
async function failed(change: (frames: FrameCodec) => Partial<FrameCodec>): Promise<readonly string[]> {
  const codec = zstd({ frameBytes: 64 * 1024 });
  const { frames } = codec;
  if (frames === undefined) throw new Error("zstd has frames");
  const broken = { ...codec, frames: { ...frames, ...change(frames) } };
  const cases = codecConformance({ create: () => ({ codec: broken, deterministic: true, others: null }) });
  const found: string[] = [];
  for (const one of cases.filter(({ id }) => CASES.includes(id))) {
    await one.run().catch(() => found.push(one.id));
  }
  return found;
}

describe("the kit", () => {
  it("passes frames that are right", async () => {
    expect(await failed(() => ({}))).toEqual([]);
  });

  it("finds frames that lose their end, an index that is none, and one that tells other sizes", async () => {
    const cut = async (frames: FrameCodec, content: Uint8Array) => frames.encodeFrame(content.subarray(0, -1));
    expect(await failed((frames) => ({ encodeFrame: (content) => cut(frames, content) }))).toEqual(CASES);
    expect(await failed(() => ({ index: () => new Uint8Array(0) }))).toEqual(CASES.slice(1, 2));
    expect(await failed(() => ({ readIndex: () => Promise.resolve([]) }))).toEqual(CASES.slice(1));
    const shifted: FrameCodec["index"] = (sizes) =>
      writeSeekTable(sizes.map(({ contentBytes, encodedBytes }) => ({ contentBytes: contentBytes + 1, encodedBytes })));
    expect(await failed(() => ({ index: shifted }))).toEqual(CASES.slice(1, 2));
  });
});

describe("a seek table", () => {
  const sizes = [
    { contentBytes: 7, encodedBytes: 30 },
    { contentBytes: 0, encodedBytes: 13 },
  ];
  const reading = (bytes: Uint8Array) =>
    readSeekTable((count) => Promise.resolve(bytes.subarray(Math.max(0, bytes.length - count)))).then(
      (read) => read ?? "none",
      (error: unknown) => (isKeepsakeError(error) ? error.code : "another error"),
    );

  it("of another maker, with checksums, is read", async () => {
    const plain = writeSeekTable(sizes);
    const entries = [plain.subarray(8, 16), Buffer.alloc(4), plain.subarray(16, 24), Buffer.alloc(4)];
    const table = Buffer.concat([plain.subarray(0, 8), ...entries, plain.subarray(24)]);
    table.writeUInt32LE(table.length - 8, 4);
    table.writeUInt8(0x80, table.length - 5);
    expect(await reading(table)).toEqual(sizes);
  });

  it("that is cut or contradicts itself is refused, and what is none is no failure", async () => {
    const table = writeSeekTable(sizes);
    expect(await reading(table.subarray(1))).toBe("E_INTEGRITY");
    expect(await reading(table.subarray(0, -1))).toBe("none");
    expect(await reading(new Uint8Array(3))).toBe("none");
    for (const at of [0, 4, table.length - 9, table.length - 5]) {
      const wrong = Buffer.from(table);
      wrong[at] = (wrong[at] ?? 0) ^ 0x40;
      expect(await reading(wrong), String(at)).toBe("E_INTEGRITY");
    }
  });
});
