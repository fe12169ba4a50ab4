import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  abortable,
  type BundleStore,
  type ByteRange,
  type ByteStream,
  errnoOf,
  fromSystemError,
  KeepsakeError,
  type StoredObject,
  streamOf,
} from "@keepsake/core";
import { fsyncDirectory, publishFile, writeNewFile } from "@keepsake/files";

export interface MyStoreOptions {
  readonly id?: string | undefined;
  /** absolute path of a folder; made when it is missing */
  readonly root: string;
}

/**
 * A store in one folder: `objects` holds a file for each key, `partial` what is being written. A key becomes a file name by
 * percent-encoding, so that it must not be longer than 255 bytes when encoded.
 */
export function myStore({ id = "my-store", root }: MyStoreOptions): BundleStore {
  const objects = join(root, "objects");
  const partials = join(root, "partial");
  const fileOf = (key: string): string => join(objects, encodeURIComponent(key));

  async function factsOf(key: string): Promise<StoredObject | undefined> {
    try {
      const { size, mtimeMs } = await stat(fileOf(key));
      return { key, sizeBytes: size, modifiedAtMs: Math.floor(mtimeMs) };
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw fromSystemError(error, `The object ${key} could not be looked at`, { key });
    }
  }

  /** Writes beside the objects, has it on the disk, and only then gives it its name: nobody ever sees a part. */
  async function write(
    key: string,
    body: ByteStream,
    publish: (partial: string, target: string) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<StoredObject> {
    const input = new WatchedInput(abortable(body, signal));
    const partial = join(partials, randomUUID());
    try {
      for (const folder of [partials, objects]) {
        const isNew = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
        if (isNew) for (const parent of [root, dirname(root)]) await fsyncDirectory(parent);
      }
      await writeNewFile(partial, input);
      await publish(partial, fileOf(key));
    } catch (error) {
      await rm(partial, { force: true }).catch(() => undefined);
      // What the body threw is not this store's to explain.
      if (input.failure?.error === error) throw error;
      if (errnoOf(error) === "EEXIST") throw taken(key, error);
      throw fromSystemError(error, `The object ${key} could not be written`, { key });
    }
    return (await factsOf(key)) ?? { key, sizeBytes: input.sizeBytes, modifiedAtMs: Date.now() };
  }

  async function* read(key: string, range: ByteRange | undefined): ByteStream {
    if (range?.length === 0) return;
    // `end` is inclusive. The file is opened here, on the first step: a body that nobody reads holds nothing.
    const part = range === undefined ? {} : { start: range.start, end: range.start + range.length - 1 };
    try {
      for await (const chunk of createReadStream(fileOf(key), part)) yield chunk as Uint8Array;
    } catch (error) {
      throw fromSystemError(error, `The object ${key} could not be read`, { key });
    }
  }

  return {
    id,
    capabilities: { durable: true, noOverwrite: "atomic", ranges: true },
    describe: () => `folder ${root}`,

    async put(key, body, { signal } = {}) {
      signal?.throwIfAborted();
      // Only to spare the upload: of several writers `publishFile` lets one win.
      if ((await factsOf(key)) !== undefined) throw taken(key);
      return write(key, body, publishFile, signal);
    },

    async get(key, { range, signal } = {}) {
      signal?.throwIfAborted();
      const object = await factsOf(key);
      if (object === undefined)
        throw new KeepsakeError("E_NOT_FOUND", `There is no object ${key}.`, { context: { key } });
      return { object, body: abortable(read(key, range), signal) };
    },

    async head(key, { signal } = {}) {
      signal?.throwIfAborted();
      return factsOf(key);
    },

    async *list(prefix, { signal } = {}) {
      signal?.throwIfAborted();
      const keys = (await namesIn(objects)).map(decodeURIComponent).filter((key) => key.startsWith(prefix));
      for (const key of keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
        const object = await factsOf(key);
        if (object !== undefined) yield object; // it may have been deleted meanwhile
        signal?.throwIfAborted();
      }
    },

    async delete(key, { signal } = {}) {
      signal?.throwIfAborted();
      try {
        await unlink(fileOf(key));
        await fsyncDirectory(objects);
        return true;
      } catch (error) {
        if (errnoOf(error) === "ENOENT") return false;
        throw fromSystemError(error, `The object ${key} could not be deleted`, { key });
      }
    },

    async replace(key, body, { signal } = {}) {
      signal?.throwIfAborted();
      const object = await write(key, streamOf(body), rename, signal);
      await fsyncDirectory(objects);
      return object;
    },

    /** What a writer that crashed left in `partial`. A living one writes to its file, which keeps it young. */
    async sweep({ olderThanMs, signal } = { olderThanMs: DAY_MS }) {
      const swept: string[] = [];
      for (const name of await namesIn(partials)) {
        signal?.throwIfAborted();
        const stats = await stat(join(partials, name)).catch(() => undefined);
        if (stats === undefined || Date.now() - stats.mtimeMs < olderThanMs) continue;
        await rm(join(partials, name), { force: true });
        swept.push(name);
      }
      return swept;
    },
  };
}

const DAY_MS = 86_400_000;

/** Counts what passes, and remembers what the input threw. */
class WatchedInput implements AsyncIterable<Uint8Array> {
  sizeBytes = 0;
  failure: { readonly error: unknown } | undefined;
  readonly #input: ByteStream;

  constructor(input: ByteStream) {
    this.#input = input;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#input) {
        this.sizeBytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw fromSystemError(error, `The folder ${folder} could not be read`, { path: folder });
  }
}

function taken(key: string, cause?: unknown): KeepsakeError {
  return new KeepsakeError("E_ALREADY_EXISTS", `There is already an object ${key}.`, { cause, context: { key } });
}
