import { randomUUID } from "node:crypto";
import {
  abortable,
  type BundleStore,
  type ByteStream,
  isKeepsakeError,
  KeepsakeError,
  type OpOptions,
  type StoredObject,
  streamOf,
} from "@keepsake/core";
import { assertPublishesWhole, capabilitiesOf, isExclusiveOn, isStagedOn, replacesAtomically } from "./capabilities.js";
import { describePlace } from "./describe-place.js";
import { inspectService } from "./inspect-service.js";
import { entriesBelow, listObjects } from "./list-objects.js";
import { ObjectFacts } from "./object-facts.js";
import { nameOf, OWN_FOLDER } from "./object-names.js";
import { DEFAULT_PART_BYTES, MIN_PART_BYTES } from "./parts.js";
import { readObject } from "./read-object.js";
import { Service, type ServicePlace } from "./service.js";
import { writeBody } from "./write-body.js";

/** A store's service, and how bodies are sent to it. */
export interface OpendalStoreOptions extends ServicePlace {
  /** default "opendal" */
  readonly id?: string;
  /** how large the first parts of large objects are, at least 5 MiB; default 8 MiB. A few of them are held in memory */
  readonly partBytes?: number;
  /** the largest object for a service that takes it in one piece only, for it is held in memory; default 64 MiB */
  readonly singleBytes?: number;
}

const DEFAULT_SINGLE_BYTES = 64 * 1024 * 1024;

/**
 * A store on a service of Apache OpenDAL: the object `a/b` lies under the name `a/b` below the service's root.
 *
 * Where the service can rename, an object is written beside its place and then renamed to it; elsewhere it becomes visible
 * when its last byte was sent, as object stores do it. Which guarantees follow is declared by what OpenDAL says of the service.
 *
 * @throws KeepsakeError `E_CONFIG`, `E_UNSUPPORTED`, `E_PLUGIN_LOAD`; the service itself is not asked
 */
export async function opendalStore(options: OpendalStoreOptions): Promise<BundleStore> {
  const { id = "opendal", scheme, partBytes = DEFAULT_PART_BYTES } = options;
  // What the service `memory` holds is in the memory of this process anyway.
  const { singleBytes = scheme === "memory" ? Number.POSITIVE_INFINITY : DEFAULT_SINGLE_BYTES } = options;
  if (!(partBytes >= MIN_PART_BYTES)) throw new TypeError("partBytes must be at least 5 MiB.");
  const service = await Service.open(options);
  assertPublishesWhole(service);
  const facts = new ObjectFacts(service);
  const where = describePlace(options);
  const isStaged = isStagedOn(service);
  const isExclusive = isExclusiveOn(service);

  async function write(key: string, body: ByteStream, isNew: boolean, given: OpOptions): Promise<StoredObject> {
    const { signal } = given;
    signal?.throwIfAborted();
    const name = nameOf(key);
    if (isNew) await assertFree(key, name, given);
    const target = isStaged ? `${OWN_FOLDER}partial/${randomUUID()}` : name;
    const how = { key, isExclusive: isNew && isExclusive, partBytes, singleBytes, closesUnfinished: isStaged };
    try {
      await writeBody(service, target, abortable(body, signal), how);
      if (isStaged) {
        if (isNew) await assertFree(key, name, given);
        await publish(key, target, name);
      }
    } catch (error) {
      if (isStaged) await remove(key, target).catch(() => undefined);
      throw error;
    }
    facts.noteWritten(name);
    const found = await facts.find(key, name, {});
    if (found === undefined) throw gone(key);
    return found.object;
  }

  /** An early answer where the service decides; else the only one. */
  async function assertFree(key: string, name: string, given: OpOptions): Promise<void> {
    if ((await facts.find(key, name, given)) !== undefined) throw taken(key);
  }

  async function publish(key: string, from: string, to: string): Promise<void> {
    const call = { sentence: `The object ${JSON.stringify(key)} could not be put in its place`, key };
    try {
      await service.call(call, (operator) => operator.rename(from, to));
    } catch (error) {
      // It is tried several times: the answer to one that was done may have been lost.
      const isDone = isKeepsakeError(error, "E_NOT_FOUND") && (await facts.find(key, to, {})) !== undefined;
      if (!isDone) throw error;
    }
  }

  /** @returns false when another was faster; most services do not tell that */
  async function remove(key: string, name: string): Promise<boolean> {
    const call = { sentence: `The object ${JSON.stringify(key)} could not be deleted`, key };
    try {
      await service.call(call, (operator) => operator.delete(name));
      return true;
    } catch (error) {
      if (isKeepsakeError(error, "E_NOT_FOUND")) return false;
      throw error;
    }
  }

  return {
    id,
    capabilities: capabilitiesOf(service),
    describe: () => where,
    put: (key, body, given = {}) => write(key, body, true, given),
    ...(replacesAtomically(service) && {
      replace: (key, body, given = {}) => write(key, streamOf(body), false, given),
    }),

    async get(key, given = {}) {
      given.signal?.throwIfAborted();
      return readObject(service, facts, nameOf(key), { ...given, key });
    },

    async head(key, given = {}) {
      return (await facts.find(key, nameOf(key), given))?.object;
    },

    list: (prefix, given = {}) => listObjects(service, facts, prefix, given),

    async delete(key, given = {}) {
      const name = nameOf(key);
      if ((await facts.find(key, name, given)) === undefined) return false;
      return remove(key, name);
    },

    async sweep(given = { olderThanMs: Number.POSITIVE_INFINITY }) {
      const removed: string[] = [];
      for (const entry of await entriesBelow(service, OWN_FOLDER, given)) {
        const name = entry.path();
        const found = await facts.find(name, name, given);
        if (found === undefined || Date.now() - found.object.modifiedAtMs <= given.olderThanMs) continue;
        if (await remove(name, name)) removed.push(name);
      }
      return removed;
    },

    inspect: (given = {}) => inspectService(service, where, isExclusive, given),
  };
}

function taken(key: string): KeepsakeError {
  return new KeepsakeError("E_ALREADY_EXISTS", `There is already an object ${JSON.stringify(key)}.`, {
    context: { key },
  });
}

function gone(key: string): KeepsakeError {
  return new KeepsakeError("E_IO", `The object ${JSON.stringify(key)} was written, and is not there.`, {
    context: { key },
  });
}
