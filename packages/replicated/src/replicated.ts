import {
  type BundleStore,
  type Logger,
  parseArtifactPath,
  SILENT_LOGGER,
  type StoreCapabilities,
  type TellTrouble,
} from "@keepsake/core";
import { deleteCopies, replaceCopies } from "./change-copies.js";
import { DigestsBeside } from "./digest-beside.js";
import { type Group, isAtomic } from "./group.js";
import { listCopies } from "./list-copies.js";
import { Part } from "./part.js";
import { putEverywhere } from "./put-everywhere.js";
import { readCopies } from "./read-copies.js";
import { refuseNoteKey, StaleNotes } from "./stale-notes.js";
import { absence, survey } from "./survey.js";
import { inspectParts, sweepParts } from "./sweep-parts.js";

/** How many stores have to take an object. */
export type WriteRule = "all" | { readonly quorum: number };

/** Which store is read: the first in a list of their ids; "nearest", the one that answers first. */
export type ReadRule = "nearest" | readonly string[];

export interface ReplicatedOptions {
  /** two or more, with ids that differ: the ids are part of the notes they keep of each other. They stay the caller's to dispose */
  readonly stores: readonly BundleStore[];
  /** default "all" */
  readonly write?: WriteRule;
  /** default: as they are listed */
  readonly read?: ReadRule;
  /** default "replicated" */
  readonly id?: string;
  /**
   * A store that gives no sign for so long counts as down, in milliseconds; default 120,000: an upload over a slow line takes
   * a while until it wants more.
   */
  readonly stallMs?: number;
  readonly logger?: Logger;
  /** called when a store fails and the others are enough */
  readonly tell?: TellTrouble;
}

/** Copies of every object in several stores, as one store that goes on while some of them are down. */
export function replicated(options: ReplicatedOptions): BundleStore {
  const { id = "replicated" } = options;
  const group = groupOf(options);
  const { parts, notes, enough } = group;
  const digests = new DigestsBeside(group);
  const replaceable = parts.every(({ store }) => store.replace !== undefined);

  return {
    id,
    capabilities: capabilitiesOf(group),
    describe: () =>
      `copies in ${parts.length} stores, ${enough} of which have to take what is written: ${parts.map(({ store }) => store.describe()).join("; ")}`,

    async put(key, body, { signal } = {}) {
      signal?.throwIfAborted();
      refuseNoteKey(parseArtifactPath(key));
      return putEverywhere(group, key, body, signal);
    },

    async get(key, { range, signal } = {}) {
      signal?.throwIfAborted();
      refuseNoteKey(parseArtifactPath(key));
      return readCopies(group, digests, key, { range, signal });
    },

    async head(key, { signal } = {}) {
      signal?.throwIfAborted();
      const found = await survey(parts, notes, parseArtifactPath(key), signal);
      const [first] = found.copies;
      if (first !== undefined) return first.object;
      const error = absence(key, found, enough - 1);
      if (error.code === "E_NOT_FOUND") return undefined;
      throw error;
    },

    list: (prefix, { signal } = {}) => listCopies(group, prefix, signal),

    async delete(key, { signal } = {}) {
      signal?.throwIfAborted();
      refuseNoteKey(parseArtifactPath(key));
      return deleteCopies(group, key, signal);
    },

    ...(replaceable && {
      async replace(key, body, { signal } = {}) {
        signal?.throwIfAborted();
        refuseNoteKey(parseArtifactPath(key));
        return replaceCopies(group, key, body, signal);
      },
    }),

    sweep: (given) => sweepParts(group, given ?? {}),

    inspect: ({ signal } = {}) => inspectParts(group, signal),
  } satisfies BundleStore;
}

function groupOf(options: ReplicatedOptions): Group {
  const { stores, write = "all", read, stallMs = 120_000, logger = SILENT_LOGGER, tell = () => undefined } = options;
  const ids = stores.map(({ id }) => id);
  if (stores.length < 2) throw new TypeError("Copies need two stores or more.");
  if (new Set(ids).size < ids.length) throw new TypeError(`The stores need ids that differ: ${ids.join(", ")}.`);
  const enough = write === "all" ? stores.length : write.quorum;
  if (!Number.isInteger(enough) || enough < 1 || enough > stores.length) {
    throw new TypeError(`A quorum of ${enough} cannot be had of ${stores.length} stores.`);
  }
  const parts = stores.map((store) => new Part(store, { stallMs, tell }));
  const order = read === undefined || read === "nearest" ? [] : read;
  const unknown = order.filter((name) => !ids.includes(name));
  if (unknown.length > 0) throw new TypeError(`None of the stores is called ${unknown.join(", ")}.`);
  return {
    parts,
    notes: new StaleNotes(parts),
    enough,
    stallMs,
    logger,
    isArbiter: ({ store }) => isAtomic(store),
    readingOrder: (byNearness) => {
      if (read === "nearest") return byNearness;
      const first = order.flatMap((name) => parts.filter((part) => part.name === name));
      return [...first, ...parts.filter((part) => !first.includes(part))];
    },
  };
}

/**
 * What follows from the parts. Of several writers one wins when all of them meet in one store that decides: always with
 * "all"; with a quorum when any two of them share a store, and every store decides.
 */
function capabilitiesOf({ parts, enough }: Group): StoreCapabilities {
  const capabilities = parts.map(({ store }) => store.capabilities);
  const meets = (of: readonly boolean[]): boolean =>
    enough === parts.length ? of.some(Boolean) : enough * 2 > parts.length && of.every(Boolean);
  const word = (atomic: boolean) => (atomic ? "atomic" : "advisory");
  const small = meets(capabilities.map(({ noOverwrite }) => noOverwrite === "atomic"));
  const large = meets(
    capabilities.map(({ noOverwrite, noOverwriteLarge = noOverwrite }) => noOverwriteLarge === "atomic"),
  );
  const fleeting = capabilities.filter(({ durable }) => !durable).length;
  return {
    durable: enough > fleeting,
    noOverwrite: word(small),
    ...(large === small ? {} : { noOverwriteLarge: word(large) }),
    ranges: capabilities.every(({ ranges }) => ranges),
  };
}
