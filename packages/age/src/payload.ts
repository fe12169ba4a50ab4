import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import {
  abortable,
  ByteReader,
  type ByteStream,
  KeepsakeError,
  type OpOptions,
  type RangedBytes,
} from "@keepsake/core";

const CHUNK_BYTES = 64 * 1024;
export const TAG_BYTES = 16;
const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
export const NONCE_BYTES = 16;
const COUNTER_BYTES = 11;
/**
 * Up to so many chunks are given out together, if all are at hand: each piece passes through a dozen hands. Other work may run
 * behind it.
 */
const PIECE_CHUNKS = 16;

/**
 * Decrypts the payload of an age file (source: C2SP age specification, STREAM: ChaCha20-Poly1305 in chunks of 64 KiB whose
 * nonces count up and mark the last one). Only bytes that were authenticated are yielded.
 *
 * The library would do this too, but cannot say what is wrong: whether the file was cut off, goes on, or is damaged.
 *
 * @throws KeepsakeError `E_TRUNCATED` where it is certain that the end is missing; a cut inside a chunk looks like damage,
 *   `E_INTEGRITY`; `E_TRAILING_DATA` when data follows a last chunk of full size
 */
export async function* decryptPayload(reader: ByteReader, fileKey: Uint8Array): ByteStream {
  const nonce = await reader.read(NONCE_BYTES);
  if (nonce.length < NONCE_BYTES) throw truncated();
  const key = payloadKey(fileKey, nonce);
  const piece = new Piece();
  for (let index = 0; ; index += 1) {
    const sealed = await reader.read(SEALED_CHUNK_BYTES);
    const isLast = (await reader.peek(1)).length === 0;
    const plain = openChunk(key, index, isLast, sealed);
    if (plain === undefined) {
      // What comes before the damage is given out in any case.
      yield* piece.take();
      yield* fail(key, index, isLast, sealed);
      return;
    }
    if (plain.length === 0 && index > 0) {
      yield* piece.take();
      throw damaged();
    }
    piece.add(plain);
    if (!isLast && piece.hasRoom && reader.buffered > SEALED_CHUNK_BYTES) continue;
    yield* piece.take();
    if (isLast) return;
    await breath();
  }
}

/**
 * A payload of which any part can be decrypted: each chunk is authentic as the one that stands at its place, and the last one as
 * the last.
 *
 * @param sealed the age file, whose payload begins at `start` with `nonce`
 * @throws KeepsakeError `E_TRUNCATED` when its length is that of no payload; from a part's iteration `E_INTEGRITY`
 */
export function rangedPayload(sealed: RangedBytes, start: number, fileKey: Uint8Array, nonce: Uint8Array): RangedBytes {
  if (nonce.length < NONCE_BYTES) throw truncated();
  const key = payloadKey(fileKey, nonce);
  const chunksStart = start + NONCE_BYTES;
  const sealedBytes = sealed.sizeBytes - chunksStart;
  const count = Math.max(1, Math.ceil(sealedBytes / SEALED_CHUNK_BYTES));
  const lastBytes = sealedBytes - (count - 1) * SEALED_CHUNK_BYTES;
  // Only a payload without content has a chunk without content.
  if (lastBytes < TAG_BYTES || (lastBytes === TAG_BYTES && count > 1)) throw truncated();
  const sizeBytes = sealedBytes - count * TAG_BYTES;
  const chunks = { sealed, start: chunksStart, count, key };
  return {
    sizeBytes,
    read: ({ start: from, length }, options) => openRange(chunks, from, Math.min(from + length, sizeBytes), options),
  };
}

interface SealedChunks {
  readonly sealed: RangedBytes;
  /** of the first chunk in `sealed` */
  readonly start: number;
  readonly count: number;
  readonly key: Buffer;
}

/** The plaintext from `from` up to `end`. */
async function* openRange(
  { sealed, start, count, key }: SealedChunks,
  from: number,
  end: number,
  options: OpOptions | undefined,
): AsyncGenerator<Uint8Array> {
  if (end <= from) return;
  const first = Math.floor(from / CHUNK_BYTES);
  const behind = Math.ceil(end / CHUNK_BYTES);
  const place = { start: start + first * SEALED_CHUNK_BYTES, length: (behind - first) * SEALED_CHUNK_BYTES };
  const reader = new ByteReader(abortable(sealed.read(place, options), options?.signal));
  const piece = new Piece();
  try {
    for (let index = first; index < behind; index += 1) {
      const plain = openChunk(key, index, index === count - 1, await reader.read(SEALED_CHUNK_BYTES));
      if (plain === undefined) {
        yield* piece.take();
        throw damaged();
      }
      const at = index * CHUNK_BYTES;
      piece.add(plain.subarray(Math.max(0, from - at), end - at));
      if (piece.hasRoom && reader.buffered >= SEALED_CHUNK_BYTES) continue;
      yield* piece.take();
      await breath();
    }
    yield* piece.take();
  } finally {
    await reader.close();
  }
}

/**
 * The payload of an age file: the nonce, then the chunks.
 *
 * @param nonce {@link NONCE_BYTES} bytes that no other payload has with this file key
 */
export async function* encryptPayload(reader: ByteReader, fileKey: Uint8Array, nonce: Uint8Array): ByteStream {
  yield nonce;
  const key = payloadKey(fileKey, nonce);
  const piece = new Piece();
  for (let index = 0, isLast = false; !isLast; index += 1) {
    const plain = await reader.read(CHUNK_BYTES);
    isLast = (await reader.peek(1)).length === 0;
    const cipher = createCipheriv("chacha20-poly1305", key, chunkNonce(index, isLast), { authTagLength: TAG_BYTES });
    piece.add(cipher.update(plain), cipher.final(), cipher.getAuthTag());
    if (piece.hasRoom && reader.buffered > CHUNK_BYTES) continue;
    yield* piece.take();
    await breath();
  }
  yield* piece.take();
}

/** Chunks that are given out together. */
class Piece {
  #chunks = 0;
  #parts: Buffer[] = [];

  get hasRoom(): boolean {
    return this.#chunks < PIECE_CHUNKS;
  }

  /** @param parts of one chunk */
  add(...parts: readonly Buffer[]): void {
    this.#chunks += 1;
    this.#parts.push(...parts);
  }

  /** What was gathered, if that is anything. */
  *take(): Generator<Buffer> {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#chunks = 0;
    if (bytes.length > 0) yield bytes;
  }
}

function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", fileKey, nonce, "payload", 32));
}

function chunkNonce(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(COUNTER_BYTES + 1);
  // The counter has 11 bytes; six of them last for 2^64 bytes.
  nonce.writeUIntBE(index, COUNTER_BYTES - 6, 6);
  nonce.writeUInt8(isLast ? 1 : 0, COUNTER_BYTES);
  return nonce;
}

/** The chunk's plaintext, or undefined when it is not authentic as chunk `index`, last or not. */
function openChunk(key: Buffer, index: number, isLast: boolean, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const decipher = createDecipheriv("chacha20-poly1305", key, chunkNonce(index, isLast), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

/** Says what is wrong with a chunk. One that is authentic, but not where it stands, is still given out: its bytes are right. */
function* fail(key: Buffer, index: number, isLast: boolean, sealed: Uint8Array): Generator<Uint8Array> {
  if (isLast && sealed.length < TAG_BYTES) throw truncated();
  const plain = sealed.length < SEALED_CHUNK_BYTES ? undefined : openChunk(key, index, !isLast, sealed);
  if (plain === undefined) throw damaged();
  yield plain;
  throw isLast ? truncated() : new KeepsakeError("E_TRAILING_DATA", "Something follows the end of the age file.");
}

function truncated(): KeepsakeError {
  return new KeepsakeError("E_TRUNCATED", "The age file ends before its end.");
}

function damaged(): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", "The age file is damaged, or cut off inside its last part.");
}
