import { createReadStream, type promises } from "node:fs";
import { open } from "node:fs/promises";
import { createInflate, inflateSync } from "node:zlib";
import type { ByteStream, OpOptions, StagedArtifact } from "@keepsake/core";
import { applyDelta } from "../objects/delta.js";
import { MAX_OBJECT_BYTES } from "../objects/git-object.js";
import { ENTRY_HEAD_BYTES, ID_DELTA, parseEntryHead } from "../objects/pack-entry.js";

type FileHandle = promises.FileHandle;

const CACHE_BYTES = 16 * 1024 * 1024;
const LONGEST_CHAIN = 10_000;

/** What lies at a place of a pack, unpacked: all of an object, or its difference to another one. */
interface Unpacked {
  readonly data: Buffer;
  readonly base: number | undefined;
  /** where the next one begins */
  readonly next: number;
}

/** What the file of a loose object or of a pack says once it is unpacked; nothing of any other file. */
export async function* discloseObjects({ pathInBundle, file }: StagedArtifact, { signal }: OpOptions = {}): ByteStream {
  if (/objects\/[0-9a-f]{2}\/[0-9a-f]{38,62}$/.test(pathInBundle)) {
    yield* createReadStream(file, { signal }).pipe(createInflate()) as AsyncIterable<Uint8Array>;
  } else if (pathInBundle.endsWith(".pack")) {
    await using handle = await open(file);
    yield* new PackReader(handle, (await handle.stat()).size).objects(signal);
  }
}

/** Reads a pack from its beginning, without an index; deltas are applied, since what they copy may be a part of a secret. */
class PackReader {
  readonly #handle: FileHandle;
  readonly #size: number;
  readonly #cache = new Map<number, Buffer>();
  #cachedBytes = 0;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.#size = size;
  }

  async *objects(signal: AbortSignal | undefined): ByteStream {
    const header = await this.#bytes(0, 12);
    if (header.toString("latin1", 0, 4) !== "PACK") return;
    let offset = header.length;
    for (let count = header.readUInt32BE(8); count > 0; count--) {
      signal?.throwIfAborted();
      const found = await this.#unpack(offset);
      if (found === undefined) return;
      yield (await this.#whole(offset, found)) ?? found.data;
      yield Buffer.from("\n");
      offset = found.next;
    }
  }

  async #whole(offset: number, first: Unpacked): Promise<Buffer | undefined> {
    const deltas: { readonly offset: number; readonly delta: Buffer }[] = [];
    let at = offset;
    let found: Unpacked | undefined = first;
    let data = this.#cache.get(at);
    while (data === undefined && deltas.length < LONGEST_CHAIN) {
      if (found === undefined) return undefined;
      if (found.base === undefined) {
        data = this.#remember(at, found.data);
        break;
      }
      deltas.push({ offset: at, delta: found.data });
      at = found.base;
      data = this.#cache.get(at);
      if (data === undefined) found = await this.#unpack(at);
    }
    for (const { offset: place, delta } of deltas.reverse()) {
      data = data && applyDelta(data, delta);
      if (data !== undefined) this.#remember(place, data);
    }
    return data;
  }

  async #unpack(offset: number): Promise<Unpacked | undefined> {
    const { type, size, next, distance } = parseEntryHead(await this.#bytes(offset, ENTRY_HEAD_BYTES));
    if (type === ID_DELTA || size > MAX_OBJECT_BYTES) return undefined;
    const base = distance === undefined ? undefined : offset - distance;
    // zlib's bound for incompressible input, generously.
    const input = await this.#bytes(offset + next, size + (size >>> 8) + 256);
    try {
      const { buffer, engine } = inflateSync(input, { info: true, maxOutputLength: Math.max(size, 1) }) as unknown as {
        readonly buffer: Buffer;
        readonly engine: { readonly bytesWritten: number };
      };
      return { data: buffer, base, next: offset + next + engine.bytesWritten };
    } catch {
      return undefined;
    }
  }

  #remember(offset: number, data: Buffer): Buffer {
    if (data.length > CACHE_BYTES / 4) return data;
    this.#cache.set(offset, data);
    this.#cachedBytes += data.length;
    for (const [oldest, { length }] of this.#cache) {
      if (this.#cachedBytes <= CACHE_BYTES) break;
      this.#cache.delete(oldest);
      this.#cachedBytes -= length;
    }
    return data;
  }

  async #bytes(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.#size - position)));
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, position);
    return buffer.subarray(0, bytesRead);
  }
}
