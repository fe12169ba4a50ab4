import { setImmediate as nextTurn } from "node:timers/promises";
import type { ObjectStore } from "../objects/object-store.js";
import { parseCommit, parseTag } from "../objects/parse.js";

const STEPS_A_TURN = 512;

/** A commit in one line. */
export interface CommitLine {
  readonly oid: string;
  readonly subject: string;
}

/** The commit that a ref's object leads to, through annotated tags. */
export function peel(store: ObjectStore, oid: string): string | undefined {
  let at: string | undefined = oid;
  for (let depth = 0; at !== undefined && depth < 16; depth++) {
    const object = store.read(at);
    if (object?.type !== "tag") return object?.type === "commit" ? at : undefined;
    at = parseTag(object, store.kind);
  }
  return undefined;
}

/** `tip` and all its ancestors that the store has, newest first along each line. */
export async function history(
  store: ObjectStore,
  tip: string | undefined,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  const queue = tip === undefined ? [] : [tip];
  for (let at = 0; at < queue.length; at++) {
    if (at % STEPS_A_TURN === STEPS_A_TURN - 1) {
      await nextTurn();
      signal?.throwIfAborted();
    }
    const oid = queue[at] ?? "";
    const commit = seen.has(oid) ? undefined : parseCommit(store.read(oid), store.kind);
    if (commit === undefined) continue;
    seen.add(oid);
    queue.push(...commit.parents);
  }
  return seen;
}

/** The commits of `all` that `known` lacks. */
export function lacking(all: ReadonlySet<string>, known: ReadonlySet<string>): readonly string[] {
  return [...all].filter((oid) => !known.has(oid));
}

/** The first `most` of these commits, for people. */
export function describeCommits(store: ObjectStore, oids: readonly string[], most: number): readonly CommitLine[] {
  return oids.slice(0, most).map((oid) => ({ oid, subject: parseCommit(store.read(oid), store.kind)?.subject ?? "" }));
}
