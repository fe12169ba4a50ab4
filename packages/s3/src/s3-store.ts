import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import {
  type BundleStore,
  type ByteStream,
  collectBytes,
  KeepsakeError,
  type OpOptions,
  type StoreCapabilities,
  type StoredBody,
  type StoredObject,
  streamOf,
} from "@keepsake/core";
import type { S3Place } from "./connection/place.js";
import { S3Connection } from "./connection/s3-connection.js";
import { bucketKey, fitsBucket } from "./objects/keys.js";
import { listObjects } from "./objects/list-objects.js";
import { deleteObject, headObject, notFound, type ObjectFacts } from "./objects/object-facts.js";
import { DEFAULT_PART_BYTES, MIN_PART_BYTES } from "./objects/part-sizes.js";
import { isChanged, readObject } from "./objects/read-object.js";
import { putSmall } from "./objects/small-object.js";
import { taken, upload } from "./objects/upload.js";
import { inspectStore } from "./server/inspect-place.js";
import { KnownServer } from "./server/known-server.js";
import { sweepPlace } from "./server/sweep-place.js";

/** A store's place, and how objects are written there. */
export interface S3StoreOptions extends S3Place {
  /** default "s3" */
  readonly id?: string;
  /** of the bundles; one that can be read at once. Default: the bucket's */
  readonly storageClass?: string;
  /** how long the server refuses to delete what is written; needs a bucket with object lock */
  readonly retention?: { readonly mode: "GOVERNANCE" | "COMPLIANCE"; readonly days: number };
  /** how large the first parts of large objects are, at least 5 MiB; default 8 MiB. A few of them are held in memory */
  readonly partBytes?: number;
  /** how many parts are sent at once; default 2 */
  readonly parallelParts?: number;
}

const DAY_MS = 24 * 3_600_000;
/** Up to this size an object is read at once, in bytes: a record may be replaced between the look at it and the reading. */
const AT_ONCE_BYTES = 256 * 1024;
const CHANGES = 10;

/**
 * A store of objects in a bucket: the object `a/b` has the key `<prefix>/a/b`.
 *
 * What fits one part is written by one call, on the condition that there is none of the name; what is larger is sent in
 * parts, of which nothing is seen before the last call. Whether the server keeps such conditions is tried out when something
 * is first written, kept in a small object, and tried out again by `inspect`.
 */
export function s3Store(options: S3StoreOptions): BundleStore & AsyncDisposable {
  const { id = "s3", partBytes = DEFAULT_PART_BYTES, parallelParts = 2, retention, storageClass, logger } = options;
  if (!(partBytes >= MIN_PART_BYTES)) throw new TypeError("partBytes must be at least 5 MiB.");
  const connection = new S3Connection(options);
  const server = new KnownServer(connection, logger);

  function headers(): Partial<PutObjectCommandInput> {
    return {
      ...(storageClass === undefined ? {} : { StorageClass: storageClass as "STANDARD" }),
      ...(retention && {
        ObjectLockMode: retention.mode,
        ObjectLockRetainUntilDate: new Date((connection.clock.now() ?? Date.now()) + retention.days * DAY_MS),
      }),
    };
  }

  function keyOf(key: string): string {
    return bucketKey(connection.prefix, key);
  }

  async function find(key: string, signal: AbortSignal | undefined): Promise<ObjectFacts | undefined> {
    signal?.throwIfAborted();
    const name = keyOf(key);
    return fitsBucket(name) ? headObject(connection, name, { signal }) : undefined;
  }

  async function assertFree(key: string, signal: AbortSignal | undefined): Promise<void> {
    if (!fitsBucket(keyOf(key))) throw tooLong(key);
    // An early answer, before bytes are sent in vain.
    if ((await find(key, signal)) !== undefined) throw taken(key);
  }

  return {
    id,
    get capabilities(): StoreCapabilities {
      const { conditionalPut = false, conditionalMultipart = false } = server.known ?? {};
      const atomicity = (isKept: boolean) => (isKept ? "atomic" : "advisory");
      return {
        durable: true,
        noOverwrite: atomicity(conditionalPut),
        noOverwriteLarge: atomicity(conditionalMultipart),
        ranges: true,
      };
    },
    describe: () => connection.describe(),

    async put(key, body: ByteStream, { signal } = {}): Promise<StoredObject> {
      await assertFree(key, signal);
      const traits = await server.traits({ signal });
      const how = { traits, partBytes, parallel: parallelParts, headers: headers(), signal };
      return objectOf(key, await upload(connection, keyOf(key), body, how));
    },

    async replace(key, body, { signal } = {}): Promise<StoredObject> {
      if (!fitsBucket(keyOf(key))) throw tooLong(key);
      const { digests } = await server.traits({ signal });
      await putSmall(connection, keyOf(key), body, { headers: headers(), signal }, digests);
      const written = await headObject(connection, keyOf(key), { signal });
      if (written === undefined) throw notFound(key);
      return objectOf(key, written);
    },

    async get(key, { range, signal } = {}): Promise<StoredBody> {
      for (let changes = 0; ; changes++) {
        const found = await find(key, signal);
        if (found === undefined) throw notFound(key);
        const start = Math.min(range?.start ?? 0, found.sizeBytes);
        const end = Math.min(found.sizeBytes, start + (range?.length ?? found.sizeBytes));
        const body = readObject(connection, { key: keyOf(key), etag: found.etag, start, end, signal });
        if (end - start > AT_ONCE_BYTES) return { object: objectOf(key, found), body };
        try {
          return { object: objectOf(key, found), body: streamOf(await collectBytes(body, AT_ONCE_BYTES)) };
        } catch (error) {
          if (!isChanged(error) || changes === CHANGES) throw error;
        }
      }
    },

    async head(key, { signal } = {}): Promise<StoredObject | undefined> {
      const found = await find(key, signal);
      return found && objectOf(key, found);
    },

    async *list(prefix, { signal } = {}): AsyncGenerator<StoredObject> {
      signal?.throwIfAborted();
      yield* listObjects(connection, prefix, signal);
    },

    async delete(key, { signal } = {}): Promise<boolean> {
      if ((await find(key, signal)) === undefined) return false;
      await deleteObject(connection, keyOf(key), { signal });
      return true;
    },

    sweep: (sweepOptions?: OpOptions & { readonly olderThanMs: number }) =>
      sweepPlace(connection, { olderThanMs: Number.POSITIVE_INFINITY, ...sweepOptions }),

    inspect: ({ signal } = {}) => inspectStore(connection, server, { wantsRetention: retention !== undefined, signal }),

    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

function objectOf(key: string, { sizeBytes, modifiedAtMs }: ObjectFacts): StoredObject {
  return { key, sizeBytes, modifiedAtMs };
}

function tooLong(key: string): KeepsakeError {
  return new KeepsakeError("E_LIMIT", `S3 has no room for so long a name: ${JSON.stringify(key)}.`, {
    context: { key },
  });
}
