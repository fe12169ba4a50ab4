import type { ArtifactMeta, BundleEntry } from "@keepsake/core";
import { type KeptBytes, writeNewFileNow } from "@keepsake/files";

/** The bytes of an artifact out of a bundle: a private file, or kept bytes that become one when somebody needs it. */
export class UnpackedFile {
  readonly #path: string;
  readonly #kept: KeptBytes | undefined;
  #isMade: boolean;

  /** @param kept absent: the file `path` is there; otherwise nothing is there yet */
  constructor(path: string, kept?: KeptBytes) {
    this.#path = path;
    this.#kept = kept;
    this.#isMade = kept === undefined;
  }

  /** The file; once made it is not made again, though its source may have renamed it away. @throws the system error */
  get path(): string {
    if (!this.#isMade && this.#kept !== undefined) writeNewFileNow(this.#path, this.#kept.read());
    this.#isMade = true;
    return this.#path;
  }

  entryOf(meta: ArtifactMeta, path: string): BundleEntry {
    const [file, kept] = [() => this.path, this.#kept];
    return {
      meta,
      path,
      get file() {
        return file();
      },
      ...(kept === undefined ? {} : { bytes: () => kept.read() }),
    };
  }
}
