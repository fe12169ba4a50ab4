import { availableParallelism } from "node:os";
import { type Codec, KeepsakeError } from "@keepsake/core";
import { decodeFrames } from "./decode.js";
import { encodeFrame, encodeFrames } from "./encode.js";
import { MAX_FRAME_BYTES, MIN_FRAME_BYTES } from "./frame-sizes.js";
import { loadNative, type NativeZstd } from "./native.js";
import { readSeekTable, writeSeekTable } from "./seek-table.js";

/** Which implementation works: the native library, or JavaScript, which only decodes. */
export type ZstdBackend = "native" | "fzstd";

export interface ZstdOptions {
  /** 1 (fast) to 22 (small); default 3 */
  readonly level?: number | undefined;
  /** input bytes per frame, 64 KiB to 8 MiB; default 1 MiB. It changes the output, not who can read it. */
  readonly frameBytes?: number | undefined;
  /** frames that are worked on at the same time; default: one per processor, at most 4 (the size of Node's thread pool) */
  readonly concurrency?: number | undefined;
  /** default "auto": native where there is a binary for this machine */
  readonly backend?: ZstdBackend | "auto" | undefined;
}

const DEFAULT_FRAME_BYTES = 1024 * 1024;
const MAX_LEVEL = 22;

/**
 * Zstandard (RFC 8878). The output is a row of independent frames of a fixed input size, each with content size and
 * checksum, which the `zstd` command reads; equal input gives equal output however it is cut into chunks. Decoding takes
 * what any maker wrote, in bounded memory: `(concurrency + 1) × 8 MiB` and a window of at most 128 MiB.
 *
 * An input that was cut exactly between two frames is whole zstd: only the reader of its content can notice.
 *
 * @throws TypeError for an option outside its range
 */
export function zstd(options: ZstdOptions = {}): Codec {
  const level = inRange("level", options.level ?? 3, 1, MAX_LEVEL);
  const frameBytes = inRange("frameBytes", options.frameBytes ?? DEFAULT_FRAME_BYTES, MIN_FRAME_BYTES, MAX_FRAME_BYTES);
  const concurrency = inRange("concurrency", options.concurrency ?? Math.min(availableParallelism(), 4), 1, 64);
  const native = (): NativeZstd | undefined => (options.backend === "fzstd" ? undefined : loadNative());
  return {
    id: "zstd",
    suffix: ".zst",
    async *encode(input, operation = {}) {
      yield* encodeFrames(input, operation, { native: present(native()), level, frameBytes, concurrency });
    },
    frames: {
      contentBytes: frameBytes,
      concurrency,
      encodeFrame: async ({ buffer, byteOffset, length }) =>
        encodeFrame(Buffer.from(buffer, byteOffset, length), { native: present(native()), level }),
      index: writeSeekTable,
      readIndex: readSeekTable,
    },
    async *decode(input, operation) {
      const decoder = options.backend === "native" ? present(native()) : native();
      yield* decodeFrames(input, operation, { native: decoder, concurrency });
    },
    describe: () => ({ backend: native() === undefined ? "fzstd" : "native" }),
  };
}

function present(native: NativeZstd | undefined): NativeZstd {
  if (native !== undefined) return native;
  throw new KeepsakeError("E_UNSUPPORTED", "The native zstd library is not there; without it zstd can only be read.", {
    hint: "Install @mongodb-js/zstd with its optional dependencies, or configure another codec.",
  });
}

function inRange(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new TypeError(`${name} must be a whole number from ${min} to ${max}.`);
}
