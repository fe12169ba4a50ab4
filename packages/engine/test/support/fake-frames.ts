import { ByteReader, type Codec, type FrameCodec, KeepsakeError, sha256Hex } from "@keepsake/core";

const [FRAME, INDEX] = [0x46, 0x49];
const HEAD_BYTES = 5;
const DIGEST_BYTES = 64;

/** A tag, a length, and so many bytes. */
function part(tag: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(tag, 0);
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

const frames: FrameCodec = {
  contentBytes: 64 * 1024,
  concurrency: 1,
  encodeFrame: (content) => Promise.resolve(part(FRAME, Buffer.concat([Buffer.from(sha256Hex(content)), content]))),
  index(sizes) {
    const numbers = Buffer.from(Uint32Array.from(sizes.flatMap((one) => [one.contentBytes, one.encodedBytes])).buffer);
    const count = Buffer.alloc(4);
    count.writeUInt32LE(sizes.length);
    return part(INDEX, Buffer.concat([numbers, count]));
  },
  async readIndex(readEnd) {
    const end = Buffer.from(await readEnd(4));
    if (end.length < 4) return undefined;
    const count = end.readUInt32LE();
    const index = Buffer.from(await readEnd(HEAD_BYTES + 8 * count + 4));
    if (index.length < HEAD_BYTES + 8 * count + 4 || index[0] !== INDEX) return undefined;
    return Array.from({ length: count }, (_none, at) => ({
      contentBytes: index.readUInt32LE(HEAD_BYTES + 8 * at),
      encodedBytes: index.readUInt32LE(HEAD_BYTES + 8 * at + 4),
    }));
  },
};

/** A codec that changes nothing and puts all into frames, each with its digest. */
export const frameCodec: Codec & { readonly frames: FrameCodec } = {
  id: "frames",
  suffix: ".frames",
  async *encode(input) {
    for await (const chunk of input) yield await frames.encodeFrame(chunk);
  },
  async *decode(input, { maxOutputBytes }) {
    const reader = new ByteReader(input);
    let left = maxOutputBytes;
    try {
      for (let head = await reader.read(HEAD_BYTES); head.length > 0; head = await reader.read(HEAD_BYTES)) {
        const length = head.length < HEAD_BYTES ? 0 : Buffer.from(head).readUInt32LE(1);
        const bytes = Buffer.from(await reader.read(length));
        if (head[0] === INDEX) continue;
        const content = bytes.subarray(DIGEST_BYTES);
        if (bytes.toString("latin1", 0, DIGEST_BYTES) !== sha256Hex(content)) {
          throw new KeepsakeError("E_INTEGRITY", "A frame is damaged.");
        }
        if (content.length > left) throw new KeepsakeError("E_LIMIT", "It is too much.");
        left -= content.length;
        yield content;
      }
    } finally {
      await reader.close();
    }
  },
  frames,
};
