import {
  type BundleStore,
  type Clock,
  isKeepsakeError,
  KeepsakeError,
  type Logger,
  parseArtifactPath,
  SILENT_LOGGER,
  type StoredObject,
  SYSTEM_CLOCK,
  type TellTrouble,
} from "@keepsake/core";
import { lostFar, lostFarFinding, lostFarMessage } from "./lost-far.js";
import { mergeLists } from "./merge-lists.js";
import { moveObject } from "./move-object.js";
import { Part } from "./part.js";
import { isTrial, onePlaceIn, Places, refuseSameFolder } from "./same-place.js";

export interface TieredOptions {
  /** near: what is new is put here. Both stay the caller's to dispose */
  readonly hot: BundleStore;
  /** far: what is old is moved here */
  readonly cold: BundleStore;
  /** how old an object is when it is moved, in milliseconds */
  readonly afterMs: number;
  /** default "tiered" */
  readonly id?: string;
  /** when a far store that gives no sign counts as down, in milliseconds; default 120,000 */
  readonly stallMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** called when the far store fails and the near one is enough, and when both have an object of one name that differs */
  readonly tell?: TellTrouble;
}

/** A store whose old objects are elsewhere. */
export interface TieredStore extends BundleStore {
  /**
   * Moves what is old: copied, read back, and only then deleted near. Killed anywhere, it is done by the next call. `sweep`
   * does this too.
   *
   * @returns the keys that were moved
   * @throws KeepsakeError `E_CONFIG` when both stores are one place; nothing is moved then
   */
  settle(options?: { readonly signal?: AbortSignal | undefined }): Promise<readonly string[]>;
}

/** Records are small, change, and are what a listing reads: they stay near. */
function staysNear(key: string): boolean {
  return key.endsWith(".json");
}

/**
 * Two stores as one: what is recent lies near, what is old far, and the listing is one.
 *
 * @throws KeepsakeError `E_CONFIG` for two stores in one folder
 */
export function tiered(options: TieredOptions): TieredStore {
  const { hot, cold, afterMs, id = "tiered", stallMs = 120_000, clock = SYSTEM_CLOCK } = options;
  const { logger = SILENT_LOGGER, tell = () => undefined } = options;
  refuseSameFolder([hot, cold]);
  const far = new Part(cold, { stallMs, tell });
  const places = new Places([far, new Part(hot, { stallMs, tell })]);

  /** Undefined, too, where the far store is down: it is told, and what is recent goes on. */
  async function farHead(key: string, signal: AbortSignal | undefined): Promise<StoredObject | undefined> {
    const answer = await far.ask(signal, (inner) => cold.head(key, { signal: inner }));
    return "value" in answer ? answer.value : undefined;
  }

  /** Whether the far store has nothing, and should: a folder below which nothing is mounted would hide what is moved there. */
  async function isAnotherPlace(signal: AbortSignal | undefined): Promise<boolean> {
    const answer = await far.ask(signal, (inner) => isEmpty(cold, inner));
    if ("error" in answer) return true;
    if (!answer.value) return false;
    const message = lostFarMessage(hot, cold, await lostFar(hot, cold, { signal }));
    if (message !== undefined) far.differs(`${message} Nothing is moved there.`);
    return message !== undefined;
  }

  async function settle({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<readonly string[]> {
    const before = clock.now() - afterMs;
    const old: string[] = [];
    for await (const { key, modifiedAtMs } of hot.list("", { signal })) {
      if (modifiedAtMs <= before && !staysNear(key) && !isTrial(key)) old.push(key);
    }
    const moved: string[] = [];
    // Moved within one place, an object is deleted. Where it cannot be said, nothing is moved now.
    if (old.length === 0 || !(await places.assertDistinct(signal)) || (await isAnotherPlace(signal))) return moved;
    for (const key of old) if (await moveObject(key, hot, far, signal)) moved.push(key);
    if (moved.length > 0) logger.info("Old objects were moved.", { count: moved.length, to: cold.id });
    return moved;
  }

  return {
    id,
    capabilities: {
      durable: hot.capabilities.durable && cold.capabilities.durable,
      noOverwrite: hot.capabilities.noOverwrite,
      ...(hot.capabilities.noOverwriteLarge && { noOverwriteLarge: hot.capabilities.noOverwriteLarge }),
      ranges: hot.capabilities.ranges && cold.capabilities.ranges,
    },
    describe: () => `${hot.describe()}; what is old in ${cold.describe()}`,

    async put(key, body, { signal } = {}) {
      signal?.throwIfAborted();
      if (await farHead(parseArtifactPath(key), signal)) throw taken(key);
      const object = await hot.put(key, body, { signal });
      // It may have been moved between the question and the writing.
      if ((await farHead(key, undefined)) === undefined) return object;
      await hot.delete(key);
      throw taken(key);
    },

    async get(key, { range, signal } = {}) {
      signal?.throwIfAborted();
      const given = { signal, ...(range === undefined ? {} : { range }) };
      if (await hot.head(key, { signal })) {
        try {
          return await hot.get(key, given);
        } catch (error) {
          if (!isKeepsakeError(error, "E_NOT_FOUND")) throw error;
        }
      }
      return cold.get(key, given);
    },

    async head(key, { signal } = {}) {
      signal?.throwIfAborted();
      return (await hot.head(key, { signal })) ?? cold.head(key, { signal });
    },

    async *list(prefix, { signal } = {}) {
      signal?.throwIfAborted();
      const listings = [
        {
          from: "hot",
          objects: hot.list(prefix, { signal }),
          failed: (error: unknown) => {
            throw error;
          },
        },
        { from: "cold", objects: cold.list(prefix, { signal }), failed: (error: unknown) => void far.failed(error) },
      ];
      for await (const [first] of mergeLists(listings, { signal }))
        if (first && !isTrial(first.object.key)) yield first.object;
    },

    /** Near before far: who is moving it wrote far before this, or sees that it is gone and takes it back there. */
    async delete(key, { signal } = {}) {
      signal?.throwIfAborted();
      const near = await hot.delete(key, { signal });
      return (await cold.delete(key, { signal })) || near;
    },

    ...(hot.replace &&
      cold.replace && {
        async replace(key: string, body: Uint8Array, { signal }: { readonly signal?: AbortSignal | undefined } = {}) {
          signal?.throwIfAborted();
          const isFar = !(await hot.head(key, { signal })) && (await farHead(key, signal)) !== undefined;
          const place = isFar ? cold : hot;
          if (!place.replace) throw new TypeError("A store that could replace no longer can.");
          return place.replace(key, body, { signal });
        },
      }),

    async sweep(given) {
      const { olderThanMs = Number.POSITIVE_INFINITY, signal } = given ?? {};
      const removed: string[] = [];
      for (const store of [hot, cold]) {
        const names = (await store.sweep?.({ olderThanMs, signal })) ?? [];
        removed.push(...names.map((name) => `${store.id}: ${name}`));
      }
      await settle({ signal });
      return removed;
    },

    async inspect({ signal } = {}) {
      const near = (await hot.inspect?.({ signal })) ?? [];
      const answer = await far.ask(signal, async (inner) => [
        ...((await cold.inspect?.({ signal: inner })) ?? []),
        ...lostFarFinding(hot, cold, await lostFar(hot, cold, { signal: inner })),
      ]);
      if ("value" in answer) return [...near, ...answer.value, ...(await onePlaceIn(places, signal))];
      const message = `The store ${cold.id} (${cold.describe()}), in which what is old lies, cannot be used: ${answer.error.message}`;
      return [...near, { name: "far", status: "problem" as const, message, details: { store: cold.id } }];
    },

    settle,
  };
}

async function isEmpty(store: BundleStore, signal: AbortSignal): Promise<boolean> {
  for await (const { key } of store.list("", { signal })) if (!isTrial(key)) return false;
  return true;
}

function taken(key: string): KeepsakeError {
  return new KeepsakeError("E_ALREADY_EXISTS", `There is already an object ${JSON.stringify(key)}.`, {
    context: { key },
  });
}
