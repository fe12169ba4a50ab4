import xxhash, { type XXHashAPI } from "xxhash-wasm";

/** Content checksums of RFC 8878, 3.1.1: the low four bytes of the content's XXH64 with seed 0, little-endian. */
export class ContentChecksums {
  static #ready: Promise<ContentChecksums> | undefined;
  readonly #api: XXHashAPI;

  private constructor(api: XXHashAPI) {
    this.#api = api;
  }

  static load(): Promise<ContentChecksums> {
    ContentChecksums.#ready ??= xxhash().then((api) => new ContentChecksums(api));
    return ContentChecksums.#ready;
  }

  of(content: Uint8Array): Buffer {
    return toField(this.#api.h64Raw(content));
  }

  running(): RunningChecksum {
    const hash = this.#api.create64();
    return {
      update: (content) => {
        hash.update(content);
      },
      digest: () => toField(hash.digest()),
    };
  }
}

/** The checksum of content that arrives in parts. */
export interface RunningChecksum {
  update(content: Uint8Array): void;
  digest(): Buffer;
}

function toField(hash: bigint): Buffer {
  const field = Buffer.alloc(4);
  field.writeUInt32LE(Number(hash & 0xffff_ffffn));
  return field;
}
