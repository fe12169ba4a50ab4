import { copyFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { errnoOf, KeepsakeError } from "@keepsake/core";
import type { FileMap } from "../repository/file-map.js";
import type { RepositoryPlace } from "../repository/locate.js";
import { listState, type StateFile, type StateListing } from "../repository/state-files.js";

/** A private copy of everything in a git directory but its objects, as it was at one instant. */
export interface PinnedState {
  readonly files: FileMap;
  readonly entries: readonly PinnedEntry[];
  readonly leftOut: readonly StateFile[];
  /** that of the listing it was copied from */
  readonly fingerprint: string;
}

/** Something that was pinned; `copy` is its private copy, and is absent for folders, links and unreadable files. */
export interface PinnedEntry extends StateFile {
  readonly copy?: string;
  readonly linkTarget?: string;
  /** the `errno` why a file could not be read */
  readonly unreadable?: string;
}

const ATTEMPTS = 80;
/** How many of them wait for running git commands to remove their locks: one that died leaves its lock for ever. */
const PATIENT = 20;

/** Up to so many files are copied while writers wait; measured, listing them takes 10 µs each. */
const WHILE_HELD = 250;

/**
 * Copies the state between two listings that are equal: there was an instant at which all of it was so. What did not
 * change since the last attempt is not copied again, so that a busy repository, too, stands still for long enough.
 *
 * @throws KeepsakeError `E_SOURCE_CHANGED` when it never stood still
 */
export async function pinState(
  place: RepositoryPlace,
  copies: StateCopies,
  signal?: AbortSignal,
): Promise<PinnedState> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    signal?.throwIfAborted();
    if (attempt > 0) await pause(1 + (attempt % 7));
    const before = listState(place);
    if (before.busy && attempt < PATIENT) continue;
    const entries = copies.of(before);
    if (entries !== undefined && listState(place).fingerprint === before.fingerprint) {
      return stateOf(before, entries);
    }
  }
  throw new KeepsakeError("E_SOURCE_CHANGED", `The git repository at ${JSON.stringify(place.at)} kept changing.`, {
    context: { path: place.at, attempts: ATTEMPTS },
  });
}

/**
 * Copies the state by a single look, while writers wait: another look has to show that it was so at one instant.
 *
 * @param known what was pinned before; it is of no use any more unless it is what is returned
 * @returns the state, undefined when something vanished meanwhile; and whether it is what is there now: not when a git
 *   command is in the middle of something, or when there is too much. Then `known` is left as it is
 */
export function pinStateNow(
  place: RepositoryPlace,
  copies: StateCopies,
  known: PinnedState,
): { readonly state: PinnedState | undefined; readonly isNow: boolean } {
  if (copies.size > WHILE_HELD) return { state: known, isNow: false };
  const listing = listState(place);
  if (listing.fingerprint === known.fingerprint) return { state: known, isNow: true };
  if (listing.busy) return { state: known, isNow: false };
  const entries = copies.of(listing);
  return entries === undefined ? { state: undefined, isNow: false } : { state: stateOf(listing, entries), isNow: true };
}

function stateOf({ leftOut, fingerprint }: StateListing, entries: readonly PinnedEntry[]): PinnedState {
  return { files: filesOf(entries), entries, leftOut, fingerprint };
}

/** Copies by path; one is good for as long as its file's mark stays the same. */
export class StateCopies {
  readonly #into: string;
  readonly #made = new Map<string, PinnedEntry>();
  #count = 0;

  /** @param into a private folder that exists */
  constructor(into: string) {
    this.#into = into;
  }

  get size(): number {
    return this.#made.size;
  }

  /** @returns undefined when something vanished meanwhile */
  of(listing: StateListing): readonly PinnedEntry[] | undefined {
    const entries: PinnedEntry[] = [];
    for (const file of listing.files) {
      const entry = this.#entryOf(file);
      if (entry === undefined) return undefined;
      entries.push(entry);
    }
    return entries;
  }

  #entryOf(file: StateFile): PinnedEntry | undefined {
    const key = file.path.toString("latin1");
    const known = this.#made.get(key);
    if (known?.mark === file.mark) return known;
    if (known?.copy !== undefined) rmSync(known.copy, { force: true });
    this.#made.delete(key);
    try {
      const entry = pinOne(file, join(this.#into, String(this.#count++)));
      this.#made.set(key, entry);
      return entry;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT") return undefined;
      if (errno !== "EACCES" && errno !== "EPERM" && errno !== "EIO") throw error;
      return { ...file, unreadable: errno };
    }
  }
}

function pinOne(file: StateFile, copy: string): PinnedEntry {
  if (file.type === "symlink") return { ...file, linkTarget: readlinkSync(file.absolute) };
  if (file.type !== "file") return file;
  copyFileSync(file.absolute, copy);
  return { ...file, copy };
}

function filesOf(entries: readonly PinnedEntry[]): FileMap {
  const files = new Map<string, string>();
  for (const entry of entries) if (entry.copy !== undefined) files.set(entry.path.toString("utf8"), entry.copy);
  return files;
}
