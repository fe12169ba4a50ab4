import {
  abortable,
  type BundleStore,
  type ByteStream,
  collectBytes,
  KeepsakeError,
  parseArtifactPath,
  type StoredObject,
  streamOf,
} from "@keepsake/core";

interface Held {
  readonly object: StoredObject;
  readonly bytes: Uint8Array;
}

/** A store in memory, with the whole contract of a {@link BundleStore} but durability. Forgets all when it is dropped. */
export function memoryStore(id = "memory"): BundleStore {
  const objects = new Map<string, Held>();

  async function write(key: string, body: ByteStream, mayReplace: boolean, signal?: AbortSignal) {
    const refuseTaken = (): void => {
      if (!mayReplace && objects.has(key)) throw taken(key);
    };
    signal?.throwIfAborted();
    parseArtifactPath(key);
    refuseTaken();
    const bytes = await collectBytes(abortable(body, signal), Number.POSITIVE_INFINITY);
    refuseTaken();
    const object = { key, sizeBytes: bytes.length, modifiedAtMs: Date.now() };
    objects.set(key, { object, bytes });
    return object;
  }

  return {
    id,
    capabilities: { durable: false, noOverwrite: "atomic", ranges: true, lifetime: "process" },
    describe: () => "memory of this process",
    put: (key, body, { signal } = {}) => write(key, body, false, signal),
    replace: (key, body, { signal } = {}) => write(key, streamOf(body), true, signal),

    async get(key, { range, signal } = {}) {
      signal?.throwIfAborted();
      const held = objects.get(parseArtifactPath(key));
      if (held === undefined) throw missing(key);
      const start = range?.start ?? 0;
      const wanted = held.bytes.subarray(start, start + (range?.length ?? held.bytes.length));
      return { object: held.object, body: abortable(chunksOf(wanted), signal) };
    },

    async head(key, { signal } = {}) {
      signal?.throwIfAborted();
      return objects.get(parseArtifactPath(key))?.object;
    },

    async *list(prefix, { signal } = {}) {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
      for (const key of keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
        signal?.throwIfAborted();
        const held = objects.get(key);
        if (held !== undefined) yield held.object;
      }
    },

    async delete(key, { signal } = {}) {
      signal?.throwIfAborted();
      return objects.delete(parseArtifactPath(key));
    },

    async sweep() {
      return [];
    },
  };
}

const CHUNK_BYTES = 65_536;

/** Each chunk is a copy: what a reader does to it does not reach the store. */
async function* chunksOf(bytes: Uint8Array): ByteStream {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    yield Uint8Array.from(bytes.subarray(start, start + CHUNK_BYTES));
  }
}

function taken(key: string): KeepsakeError {
  return new KeepsakeError("E_ALREADY_EXISTS", `There is already an object ${JSON.stringify(key)}.`, {
    context: { key },
  });
}

function missing(key: string): KeepsakeError {
  return new KeepsakeError("E_NOT_FOUND", `There is no object ${JSON.stringify(key)}.`, { context: { key } });
}
