import { lstat, stat, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  type BundleStore,
  type ByteStream,
  errnoOf,
  fromSystemError,
  KeepsakeError,
  type OpOptions,
  type StoredBody,
  type StoredObject,
  streamOf,
} from "@keepsake/core";
import { fsyncDirectory } from "@keepsake/files/basics";
import { DurableFolders } from "./durable-folders.js";
import { listObjects } from "./list-objects.js";
import { isReached, meansMissing, objectOf, objectPath, statObject } from "./object-paths.js";
import { readBody } from "./read-body.js";
import { sweepPartials } from "./sweep.js";
import { WatchedBody } from "./watched-body.js";
import { writeObject } from "./write-object.js";

/** Where a store lies. */
export interface LocalFsOptions {
  /** a folder; made by the first `put` when it is missing. Relative to the working directory */
  readonly root: string;
  /** default "local-fs" */
  readonly id?: string;
}

/**
 * A store of files in a folder: the object `a/b` is the file `a/b`. Files are made with mode 0600, folders with 0700.
 *
 * An object is written to a hidden file beside its place, synced, and then linked to its name, which fails if that is taken;
 * the folder is synced before `put` resolves. Symbolic links below the root are no objects and are not followed.
 */
export function localFs({ root: givenRoot, id = "local-fs" }: LocalFsOptions): BundleStore {
  const root = resolve(givenRoot);
  const folders = new DurableFolders(root);

  async function write(key: string, body: ByteStream, how: "new" | "replace", signal?: AbortSignal) {
    signal?.throwIfAborted();
    const target = objectPath(root, key);
    const source = new WatchedBody(body);
    try {
      if (how === "new" && (await isTaken(target))) throw taken(key);
      await folders.ensure(dirname(target));
      if (!(await isReached(root, dirname(target)))) throw leadsOut(key);
      return objectOf(key, await writeObject(target, source, how, signal));
    } catch (error) {
      if (source.hasFailedWith(error)) throw error;
      if (TAKEN.has(errnoOf(error) ?? "") && (await isNoFolder(root))) throw noFolder(root, error);
      throw writeError(error, key, signal);
    }
  }

  async function find(key: string): Promise<StoredObject | undefined> {
    try {
      const stats = await statObject(root, objectPath(root, key));
      if (stats !== undefined) return objectOf(key, stats);
      await assertFolder(root);
      return undefined;
    } catch (error) {
      throw fromSystemError(error, `The object ${JSON.stringify(key)} could not be looked up`, { key });
    }
  }

  return {
    id,
    capabilities: { durable: true, noOverwrite: "atomic", ranges: true, near: true },
    describe: () => `folder ${root}`,

    put: (key, body, { signal } = {}) => write(key, body, "new", signal),

    replace: (key, body, { signal } = {}) => write(key, streamOf(body), "replace", signal),

    async get(key, { range, signal } = {}): Promise<StoredBody> {
      signal?.throwIfAborted();
      const object = await find(key);
      if (object === undefined) {
        throw new KeepsakeError("E_NOT_FOUND", `There is no object ${JSON.stringify(key)}.`, { context: { key } });
      }
      return { object, body: readBody(objectPath(root, key), key, range, signal) };
    },

    async head(key, { signal } = {}): Promise<StoredObject | undefined> {
      signal?.throwIfAborted();
      return find(key);
    },

    async *list(prefix, { signal } = {}): AsyncGenerator<StoredObject> {
      signal?.throwIfAborted();
      let isEmpty = true;
      try {
        for await (const object of listObjects(root, prefix, signal)) {
          isEmpty = false;
          yield object;
        }
        if (isEmpty) await assertFolder(root);
      } catch (error) {
        throw unlessAborted(error, "The store could not be listed", { prefix }, signal);
      }
    },

    async delete(key, { signal } = {}): Promise<boolean> {
      signal?.throwIfAborted();
      const target = objectPath(root, key);
      try {
        if ((await find(key)) === undefined) return false;
        await unlink(target);
        await fsyncDirectory(dirname(target));
        return true;
      } catch (error) {
        if (meansMissing(error)) return false;
        throw fromSystemError(error, `The object ${JSON.stringify(key)} could not be deleted`, { key });
      }
    },

    async sweep(options?: OpOptions & { readonly olderThanMs: number }) {
      const { olderThanMs = Number.POSITIVE_INFINITY, signal } = options ?? {};
      const removed: string[] = [];
      try {
        for await (const name of sweepPartials(root, olderThanMs, signal)) removed.push(name);
      } catch (error) {
        throw unlessAborted(error, "Unfinished files could not be removed", {}, signal);
      }
      return removed;
    },
  };
}

function leadsOut(key: string): KeepsakeError {
  return new KeepsakeError("E_UNSAFE_PATH", `A symbolic link leads the object ${JSON.stringify(key)} elsewhere.`, {
    context: { path: key },
  });
}

/** An early answer, before bytes are written in vain; the link decides. */
async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * A root that is not there has nothing in it; one that is a file, or a link to nothing, is a place that was lost: to say that
 * nothing is there would be to say that all of it was deleted.
 *
 * @throws KeepsakeError `E_IO`
 */
async function assertFolder(root: string): Promise<void> {
  if (await isNoFolder(root)) throw noFolder(root);
}

async function isNoFolder(root: string): Promise<boolean> {
  try {
    return !(await stat(root)).isDirectory();
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") return errnoOf(error) === "ENOTDIR" || errnoOf(error) === "ELOOP";
    return (await lstat(root).catch(() => undefined)) !== undefined;
  }
}

/** Where the root is a file, nothing is at the key. */
function noFolder(root: string, cause?: unknown): KeepsakeError {
  return new KeepsakeError("E_IO", `What the store is to lie in is no folder: ${root}.`, {
    ...(cause === undefined ? {} : { cause }),
    context: { path: root },
    hint: "Give it another root, or bring back what was there.",
  });
}

function taken(key: string, cause?: unknown): KeepsakeError {
  return new KeepsakeError("E_ALREADY_EXISTS", `There is already an object at ${JSON.stringify(key)} or above it.`, {
    ...(cause === undefined ? {} : { cause }),
    context: { key },
  });
}

function tooLong(key: string, cause: unknown): KeepsakeError {
  return new KeepsakeError("E_LIMIT", `The file system has no room for so long a name: ${JSON.stringify(key)}.`, {
    cause,
    context: { key },
  });
}

/** ENOTDIR: a part of the key is an object. EISDIR: the key is a part of an object's. */
const TAKEN = new Set(["EEXIST", "ENOTDIR", "EISDIR"]);

function writeError(error: unknown, key: string, signal: AbortSignal | undefined): unknown {
  if (TAKEN.has(errnoOf(error) ?? "")) return taken(key, error);
  if (errnoOf(error) === "ENAMETOOLONG") return tooLong(key, error);
  return unlessAborted(error, `The object ${JSON.stringify(key)} could not be written`, { key }, signal);
}

/** An abort passes with whatever reason the signal has. */
function unlessAborted(
  error: unknown,
  sentence: string,
  context: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): unknown {
  if (signal?.aborted === true && error === signal.reason) return error;
  return fromSystemError(error, sentence, context);
}
