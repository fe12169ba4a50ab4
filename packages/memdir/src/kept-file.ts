import type { BigIntStats } from "node:fs";
import { unlink } from "node:fs/promises";
import { type FileContent, type JsonObject, sha256Hex } from "@keepsake/core";
import { type Attributes, attributesOf, type KeptBytes, type WalkStats, walkStats, youngForMs } from "@keepsake/files";
import { CUT_FACT, partialLineOf } from "./jsonl.js";
import { markOfFile } from "./look.js";
import type { ReadRequest } from "./read-request.js";

/** Up to this size a file is read whole, in bytes: the many small notes need no file of their own for their copy. */
export const MAX_SMALL_BYTES = 256 * 1024;

/** A file as it was at one moment. */
export interface StableFile extends Attributes, Copy {
  /** see {@link markOfFile}: of that moment */
  readonly mark: string;
  /** Set when it had been changed just before: the digest of its bytes, since its times may not show another change. */
  readonly youngSha256?: string | undefined;
}

/** A private copy, less what is cut off it. */
export interface Copy {
  content(): FileContent;
  readonly facts?: JsonObject | undefined;
  /** says that it is not needed any more */
  release(): Promise<void>;
}

/** A file of which there may be so many that each object counts: closures would be a multiple of it. */
class SmallFile implements StableFile {
  readonly mode: number;
  readonly mtimeMs: number;
  readonly mark: string;
  readonly facts: JsonObject | undefined;
  readonly youngSha256: string | undefined;
  readonly #kept: KeptBytes | undefined;

  /** @param kept its bytes; without them they are those that an earlier capture brought */
  constructor(
    { mode, mtimeMs }: Attributes,
    mark: string,
    kept?: KeptBytes,
    { facts, youngSha256 }: Pick<StableFile, "facts" | "youngSha256"> = {},
  ) {
    this.mode = mode;
    this.mtimeMs = mtimeMs;
    this.mark = mark;
    this.facts = facts;
    this.youngSha256 = youngSha256;
    this.#kept = kept;
  }

  content(): FileContent {
    return this.#kept === undefined ? { known: true } : { bytes: this.#kept.read() };
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}

/** Keeps a small file that was read whole. @param nowMs when reading it began */
export function keepSmall(bytes: Buffer, stats: BigIntStats, nowMs: number, request: ReadRequest): StableFile {
  const cut = partialLineOf(request, bytes.length, (start, count) => bytes.subarray(start, start + count));
  const kept = request.small.keep(bytes.subarray(0, bytes.length - cut));
  const youngSha256 = youngForMs(stats, nowMs) > 0 ? sha256Hex(bytes) : undefined;
  return new SmallFile(attributesOf(stats), markOfFile(walkStats(stats)), kept, { ...factsOf(cut), youngSha256 });
}

/** A file whose bytes are those that an earlier capture brought. */
export function unreadFile(stats: WalkStats): StableFile {
  return new SmallFile(attributesOf(stats), markOfFile(stats));
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
