import { join } from "node:path";
import type { ArtifactMeta, BundleEntry } from "@keepsake/core";
import { type KeptBytes, writeNewFileNow } from "@keepsake/files";

/** The bytes of an artifact out of a bundle: a private file, or kept bytes that become one when somebody needs it. */
export class UnpackedFile {
  readonly #folder: string;
  readonly #name: number;
  readonly #kept: KeptBytes | undefined;
  #isMade: boolean;

  /**
   * @param folder a private one, with a name in it: a path that was joined takes ten times as much memory, and few are asked for
   * @param kept absent: the file is there; otherwise nothing is there yet
   */
  constructor(folder: string, name: number, kept?: KeptBytes) {
    this.#folder = folder;
    this.#name = name;
    this.#kept = kept;
    this.#isMade = kept === undefined;
  }

  /** The file; once made it is not made again, though its source may have renamed it away. @throws the system error */
  get path(): string {
    const path = join(this.#folder, String(this.#name));
    if (!this.#isMade && this.#kept !== undefined) writeNewFileNow(path, this.#kept.read());
    this.#isMade = true;
    return path;
  }

  /** Absent where the bytes are in the file alone. */
  get kept(): KeptBytes | undefined {
    return this.#kept;
  }

  entryOf(meta: ArtifactMeta, path: string): BundleEntry {
    return new UnpackedEntry(this, meta, path);
  }
}

/**
 * Of a class, and its properties defined once for all, since there are so many of them: a literal with an accessor gets a table of
 * properties for itself. They are its own, so that a source may spread it.
 */
class UnpackedEntry implements BundleEntry {
  readonly meta: ArtifactMeta;
  readonly path: string;
  declare readonly file: string;
  declare readonly bytes?: () => Buffer;
  readonly #unpacked: UnpackedFile;

  constructor(unpacked: UnpackedFile, meta: ArtifactMeta, path: string) {
    this.meta = meta;
    this.path = path;
    this.#unpacked = unpacked;
    Object.defineProperty(this, "file", UnpackedEntry.#FILE);
    if (unpacked.kept !== undefined) Object.defineProperty(this, "bytes", UnpackedEntry.#BYTES);
  }

  static readonly #FILE = {
    enumerable: true,
    get(this: UnpackedEntry): string {
      return this.#unpacked.path;
    },
  };

  static readonly #BYTES = {
    enumerable: true,
    get(this: UnpackedEntry): (() => Buffer) | undefined {
      const { kept } = this.#unpacked;
      return kept && (() => kept.read());
    },
  };
}
