import type { BigIntStats } from "node:fs";
import { unlink } from "node:fs/promises";
import { type FileContent, type JsonObject, sha256Hex } from "@keepsake/core";
import { type Attributes, attributesOf, type WalkStats, walkStats, youngForMs } from "@keepsake/files";
import { CUT_FACT, partialLineOf } from "./jsonl.js";
import type { ReadRequest } from "./read-request.js";

/** Up to this size a file is read whole, in bytes: the many small notes need no file of their own for their copy. */
export const MAX_SMALL_BYTES = 256 * 1024;

/** A file as it was at one moment. */
export interface StableFile extends Attributes, Copy {
  /** what the system said of it at that moment */
  readonly stats: WalkStats;
  /** Set when it had been changed just before: the digest of its bytes, since its times may not show another change. */
  readonly youngSha256?: string;
}

/** A private copy, less what is cut off it. */
export interface Copy {
  content(): FileContent;
  readonly facts?: JsonObject;
  /** says that it is not needed any more */
  release(): Promise<void>;
}

/** Keeps a small file that was read whole. @param nowMs when reading it began */
export function keepSmall(bytes: Buffer, stats: BigIntStats, nowMs: number, request: ReadRequest): StableFile {
  const cut = partialLineOf(request, bytes.length, (start, count) => bytes.subarray(start, start + count));
  const kept = request.small.keep(bytes.subarray(0, bytes.length - cut));
  return {
    content: () => ({ bytes: kept.read() }),
    release: () => Promise.resolve(),
    ...factsOf(cut),
    ...attributesOf(stats),
    stats: walkStats(stats),
    ...(youngForMs(stats, nowMs) > 0 ? { youngSha256: sha256Hex(bytes) } : {}),
  };
}

/** A file whose bytes are those that an earlier capture brought. */
export function unreadFile(stats: WalkStats): StableFile {
  return { content: () => ({ known: true }), release: () => Promise.resolve(), ...attributesOf(stats), stats };
}

/** A copy that is a file of its own. */
export function fileContent(file: string, cut: number): Copy {
  return {
    content: () => ({ file }),
    release: async () => {
      await unlink(file).catch(() => undefined);
    },
    ...factsOf(cut),
  };
}

function factsOf(cut: number): Pick<Copy, "facts"> {
  return cut === 0 ? {} : { facts: { [CUT_FACT]: cut } };
}
