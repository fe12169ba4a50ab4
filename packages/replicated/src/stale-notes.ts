import {
  type BundleStore,
  isKeepsakeError,
  KeepsakeError,
  parseStaleKey,
  STALE_PREFIX,
  staleKey,
  type StoredObject,
  streamOf,
} from "@keepsake/core";
import type { Part } from "./part.js";

/** Notes in the parts about each other: which one missed a deletion or a replacement, and of which key. */
export class StaleNotes {
  readonly #parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /**
   * Notes in every other part that can be reached that the copy in `part` is out of date.
   *
   * @returns whether at least one of them has the note
   */
  async add(part: Part, key: string, signal: AbortSignal | undefined): Promise<boolean> {
    const answers = await Promise.all(
      this.#others(part).map((other) =>
        other.ask(signal, (inner) => writeNote(other.store, staleKey(part.name, key), inner)),
      ),
    );
    return answers.some((answer) => "value" in answer);
  }

  async remove(part: Part, key: string, signal: AbortSignal | undefined): Promise<void> {
    await Promise.all(
      this.#others(part).map((other) =>
        other.ask(signal, (inner) => other.store.delete(staleKey(part.name, key), { signal: inner })),
      ),
    );
  }

  /** When the copy of `key` in a part was noted to be out of date, in milliseconds since 1970; undefined when it was not. */
  async notedAt(part: Part, key: string, signal: AbortSignal | undefined): Promise<number | undefined> {
    const answers = await Promise.all(
      this.#others(part).map((other) =>
        other.ask(signal, (inner) => other.store.head(staleKey(part.name, key), { signal: inner })),
      ),
    );
    return latest(answers.map((answer) => ("value" in answer ? answer.value?.modifiedAtMs : undefined)));
  }

  /** Every note there is: of each part the keys, with when they were noted. */
  async all(signal: AbortSignal | undefined): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
    const notes = new Map<string, Map<string, number>>(this.#parts.map(({ name }) => [name, new Map()]));
    const lists = this.#parts.map((part) =>
      part.ask(signal, async (inner) => {
        for await (const object of part.store.list(STALE_PREFIX, { signal: inner })) addTo(notes, object);
      }),
    );
    await Promise.all(lists);
    return notes;
  }

  #others(part: Part): readonly Part[] {
    return this.#parts.filter((other) => other !== part);
  }
}

/** A note is as old as its object: one that is there already is made anew. */
async function writeNote(store: BundleStore, note: string, signal: AbortSignal): Promise<void> {
  if (store.replace) {
    await store.replace(note, Buffer.from("stale\n"), { signal });
    return;
  }
  await store.delete(note, { signal });
  try {
    await store.put(note, streamOf("stale\n"), { signal });
  } catch (error) {
    // Another has just made it.
    if (!isKeepsakeError(error, "E_ALREADY_EXISTS")) throw error;
  }
}

function addTo(notes: Map<string, Map<string, number>>, { key: note, modifiedAtMs }: StoredObject): void {
  const about = parseStaleKey(note);
  const of = about && notes.get(about.store);
  if (about && of) of.set(about.key, Math.max(of.get(about.key) ?? 0, modifiedAtMs));
}

function latest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** A note stands for copies that are older: one that came later is not meant. */
export function isStale(object: StoredObject, notedAtMs: number | undefined): boolean {
  return notedAtMs !== undefined && object.modifiedAtMs <= notedAtMs;
}

/** @throws KeepsakeError `E_UNSAFE_PATH` for a key under which notes lie */
export function refuseNoteKey(key: string): void {
  if (!key.startsWith(STALE_PREFIX)) return;
  throw new KeepsakeError("E_UNSAFE_PATH", `Keys that begin with ${STALE_PREFIX} are the notes of replicated stores.`, {
    context: { key },
  });
}
