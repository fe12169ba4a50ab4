import { randomUUID } from "node:crypto";
import { realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";
import {
  type BundleStore,
  errnoOf,
  type HealthFinding,
  isKeepsakeError,
  KeepsakeError,
  STALE_PREFIX,
  streamOf,
} from "@keepsake/core";
import type { Part } from "./part.js";

/** Small objects that are put in one store and looked for in the others. A store made of others takes them as it takes any. */
const TRIALS = "keepsake-place-trial/";
/** What a crash left is taken away after this, in milliseconds. */
const FORGOTTEN_AFTER_MS = 3_600_000;

/** Whether an object is this package's own, a note or a trial that a crash left: no list shows it. */
export function isOwn(key: string): boolean {
  return key.startsWith(STALE_PREFIX) || key.startsWith(TRIALS);
}

/** A trial alone: notes that come through from what is around two stores are theirs to show. */
export function isTrial(key: string): boolean {
  return key.startsWith(TRIALS);
}

/**
 * Two names of one place hold one copy, whatever the configuration says: what was put under the first "is there already" under
 * the second, and what is moved from one to the other is gone.
 *
 * @throws KeepsakeError `E_CONFIG` for stores in one folder, also by way of symbolic links. Other places have to be tried out
 */
export function refuseSameFolder(stores: readonly BundleStore[]): void {
  const seen = new Map<string, BundleStore>();
  for (const store of stores) {
    const folder = folderOf(store);
    if (folder === undefined) continue;
    const other = seen.get(folder);
    if (other !== undefined) throw samePlace(other, store);
    seen.set(folder, store);
  }
}

/** The folder without symbolic links, also where it, or some above it, is still to be made. */
function folderOf(store: BundleStore): string | undefined {
  const [, folder] = /^folder (.+)$/.exec(store.describe()) ?? [];
  if (folder === undefined || !isAbsolute(folder)) return undefined;
  for (let there = folder; ; there = dirname(there)) {
    try {
      return join(realpathSync(there), relative(there, folder));
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" || there === dirname(there)) return folder;
    }
  }
}

/** Whether stores are places of their own, tried out at most once. */
export class Places {
  readonly #parts: readonly Part[];
  #areDistinct = false;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /**
   * @returns false when it cannot be said, because a store is down
   * @throws KeepsakeError `E_CONFIG` when two of the stores are one place
   */
  async assertDistinct(signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#areDistinct) return true;
    let isKnown = true;
    for (const [index, part] of this.#parts.slice(0, -1).entries()) {
      const others = this.#parts.slice(index + 1);
      isKnown = (await isApart(part, others, signal)) && isKnown;
    }
    this.#areDistinct = isKnown;
    return isKnown;
  }
}

async function isApart(part: Part, others: readonly Part[], signal: AbortSignal | undefined): Promise<boolean> {
  const key = `${TRIALS}${randomUUID()}`;
  await forgetTrials(part, signal);
  const put = await part.ask(signal, (inner) => part.store.put(key, streamOf("trial\n"), { signal: inner }));
  if ("error" in put) return false;
  try {
    let isKnown = true;
    for (const other of others) {
      const found = await other.ask(signal, (inner) => other.store.head(key, { signal: inner }));
      if ("error" in found) isKnown = false;
      else if (found.value !== undefined) throw samePlace(part.store, other.store);
    }
    return isKnown;
  } finally {
    await part.ask(undefined, (inner) => part.store.delete(key, { signal: inner }));
  }
}

async function forgetTrials(part: Part, signal: AbortSignal | undefined): Promise<void> {
  const { store } = part;
  const before = Date.now() - FORGOTTEN_AFTER_MS;
  await part.ask(signal, async (inner) => {
    for await (const { key, modifiedAtMs } of store.list(TRIALS, { signal: inner })) {
      if (modifiedAtMs < before) await store.delete(key, { signal: inner });
    }
  });
}

/** What `inspect` says of stores that are one place; nothing where they are not, or where it cannot be said. */
export async function onePlaceIn(places: Places, signal: AbortSignal | undefined): Promise<readonly HealthFinding[]> {
  try {
    await places.assertDistinct(signal);
    return [];
  } catch (error) {
    if (!isKeepsakeError(error, "E_CONFIG")) throw error;
    const { message, hint } = error;
    return [{ name: "one_place", status: "problem", message, ...(hint === undefined ? {} : { hint }) }];
  }
}

function samePlace(one: BundleStore, other: BundleStore): KeepsakeError {
  const where = [...new Set([one.describe(), other.describe()])];
  return new KeepsakeError("E_CONFIG", `The stores ${one.id} and ${other.id} are one place: ${where.join(", ")}.`, {
    context: { stores: [one.id, other.id], places: where },
    hint: "Give each a place of its own: two names of one place keep one copy.",
  });
}
