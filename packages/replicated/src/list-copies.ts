import type { KeepsakeError, StoredObject } from "@keepsake/core";
import type { Group } from "./group.js";
import { mergeLists } from "./merge-lists.js";
import type { Part } from "./part.js";
import { isOwn } from "./same-place.js";
import { isStale } from "./stale-notes.js";

/** Every object that any part has, once, without what is out of date. */
export async function* listCopies(
  group: Group,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredObject> {
  signal?.throwIfAborted();
  const notes = await group.notes.all(signal);
  let down = 0;
  const failed = (part: Part, error: unknown): void => {
    const typed: KeepsakeError = part.failed(error);
    down += 1;
    // Fewer than enough took an object that none of the others has.
    if (down >= group.enough) throw typed;
  };
  const listings = group.parts.map((from) => ({
    from,
    objects: steps(from, prefix, signal),
    failed: (error: unknown) => failed(from, error),
  }));
  for await (const copies of mergeLists(listings, { signal })) {
    const [first] = copies.filter(({ from, object }) => !isStale(object, notes.get(from.name)?.get(object.key)));
    if (first !== undefined && !isOwn(first.object.key)) yield first.object;
  }
}

/** A listing of which every step has the time limit of a question. */
async function* steps(part: Part, prefix: string, signal: AbortSignal | undefined): AsyncGenerator<StoredObject> {
  const stop = new AbortController();
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const iterator = part.store.list(prefix, { signal: both })[Symbol.asyncIterator]();
  let isStepping = false;
  try {
    for (;;) {
      isStepping = true;
      const answer = await part.ask(signal, () => iterator.next());
      if ("error" in answer) {
        stop.abort(answer.error);
        throw answer.error;
      }
      isStepping = false;
      if (answer.value.done === true) return;
      yield answer.value.value;
    }
  } finally {
    // One that is silent would not answer this either.
    const closing = iterator.return?.();
    if (isStepping) closing?.catch(() => undefined);
    else await closing;
  }
}
