import { KeepsakeError, type StoredObject } from "@keepsake/core";
import type { Part } from "./part.js";
import { isStale, type StaleNotes } from "./stale-notes.js";

/** A copy of an object in one part. */
export interface Copy {
  readonly part: Part;
  readonly object: StoredObject;
}

/** Where there are copies of one object; every list in the order of the parts. */
export interface Survey {
  readonly copies: readonly Copy[];
  /** copies that missed a deletion or a replacement: they count as absent */
  readonly stale: readonly Copy[];
  readonly absent: readonly Part[];
  readonly down: readonly { readonly part: Part; readonly error: KeepsakeError }[];
  /** the parts that can be reached, those that answered first before the others */
  readonly byNearness: readonly Part[];
}

/** Asks all parts at the same time for one object. */
export async function survey(
  parts: readonly Part[],
  notes: StaleNotes,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Survey> {
  const byNearness: Part[] = [];
  const asked = await Promise.all(
    parts.map(async (part) => {
      const answer = await part.ask(signal, (inner) => part.store.head(key, { signal: inner }));
      if ("error" in answer) return { part, error: answer.error };
      byNearness.push(part);
      const object = answer.value;
      const stale = object !== undefined && isStale(object, await notes.notedAt(part, key, signal));
      return { part, object, stale };
    }),
  );
  const found = {
    copies: [] as Copy[],
    stale: [] as Copy[],
    absent: [] as Part[],
    down: [] as Survey["down"][number][],
  };
  for (const { part, object, stale, error } of asked) {
    if (error) found.down.push({ part, error });
    else if (object === undefined) found.absent.push(part);
    else (stale ? found.stale : found.copies).push({ part, object });
  }
  return { ...found, byNearness };
}

/** What an object that no reachable part has is: not there; or unknown, where those that are down may have it. */
export function absence(key: string, { down }: Survey, mayMiss: number): KeepsakeError {
  const [first] = down;
  if (first !== undefined && down.length > mayMiss) return first.error;
  return new KeepsakeError("E_NOT_FOUND", `There is no object ${JSON.stringify(key)}.`, { context: { key } });
}
