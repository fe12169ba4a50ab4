import type Database from "better-sqlite3";
import { setImmediate } from "node:timers/promises";

/** Rows between two looks at the abort signal. */
const ROWS_PER_TURN = 20_000;

/** Runs a query whose rows are 0, 1 or 2, and says how often each came. */
export async function tally(
  connection: Database.Database,
  sql: string,
  signal?: AbortSignal,
): Promise<[number, number, number]> {
  const counts: [number, number, number] = [0, 0, 0];
  let rows = 0;
  for (const state of connection.prepare(sql).pluck().iterate() as Iterable<0 | 1 | 2>) {
    counts[state]++;
    if (++rows % ROWS_PER_TURN === 0) await breathe(signal);
  }
  return counts;
}

/** Lets messages in, an abort among them. */
export async function breathe(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
