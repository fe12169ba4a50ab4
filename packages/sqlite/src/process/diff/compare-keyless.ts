import type Database from "better-sqlite3";
import { quoted } from "../names.js";
import type { RowDelta } from "../protocol.js";
import { joined, sameValues } from "./row-sql.js";
import type { Column, Layout } from "./schema.js";
import { breathe, tally } from "./tally.js";

interface Keyless {
  readonly before: Layout;
  readonly after: Layout;
  readonly columns: readonly Column[];
  /** SQL over column names that says which rows are meant */
  readonly filter: string;
}

const NONE: RowDelta = { rowsAdded: 0, rowsRemoved: 0, rowsChanged: 0 };
const ROWS_PER_TURN = 20_000;

/**
 * Rows that only their rowid tells apart. `VACUUM` may number them anew (sqlite.org/lang_vacuum.html), so where rowids say
 * that something changed, the contents are asked too:
 * - the same rows in the same order: nothing changed; in another order: the places that hold another row now are changed
 * - otherwise what needs fewer changes: by rowid, or rows added and removed whatever their rowid
 */
export async function compareKeyless(
  connection: Database.Database,
  keyless: Keyless,
  signal?: AbortSignal,
): Promise<RowDelta> {
  const { before, after } = keyless;
  const hasRowids = before.rowid !== undefined && after.rowid !== undefined;
  const byRowid = hasRowids ? await compareByRowid(connection, keyless, signal) : undefined;
  if (byRowid !== undefined && total(byRowid) === 0) return NONE;
  await breathe(signal);
  const byContent = compareContents(connection, keyless);
  if (total(byContent) > 0) return byRowid !== undefined && total(byRowid) <= total(byContent) ? byRowid : byContent;
  return hasRowids ? { ...NONE, rowsChanged: await misplaced(connection, keyless, signal) } : NONE;
}

function total({ rowsAdded, rowsRemoved, rowsChanged }: RowDelta): number {
  return rowsAdded + rowsRemoved + rowsChanged;
}

async function compareByRowid(
  connection: Database.Database,
  keyless: Keyless,
  signal?: AbortSignal,
): Promise<RowDelta> {
  const { columns } = keyless;
  const [a, b] = [rowsOf(keyless, "before"), rowsOf(keyless, "after")];
  const state = `CASE WHEN b.keepsake_row IS NULL THEN 2 ELSE NOT (${sameValues(columns)}) END`;
  const join = (left: string, right: string): string =>
    `SELECT ${state} FROM (${left}) AS a LEFT JOIN (${right}) AS b ON b.keepsake_row = a.keepsake_row`;
  const [, changed, removed] = await tally(connection, join(a, b), signal);
  const [, , added] = await tally(connection, join(b, a), signal);
  return { rowsAdded: added, rowsRemoved: removed, rowsChanged: changed };
}

/** Rows that one state has more often than the other. SQLite sorts them, in a temporary file when they are many. */
function compareContents(connection: Database.Database, keyless: Keyless): RowDelta {
  const values = keyless.columns.map(({ name }) => quoted(name));
  // No type's name begins another's, so that the names of all tell the type of each.
  const types =
    joined(
      "||",
      values.map((value) => `typeof(${value})`),
    ) ?? "''";
  const fields = [`${types} AS types`, ...values.map((value, index) => `${value} AS v${String(index)}`)];
  const groups = ["types", ...values.map((_, index) => `+v${String(index)} COLLATE BINARY`)];
  const side = (which: "before" | "after", sign: number): string =>
    `SELECT ${[`${String(sign)} AS n`, ...fields].join(", ")} FROM ${keyless[which].from} WHERE ${keyless.filter}`;
  const both = `${side("before", -1)} UNION ALL ${side("after", 1)}`;
  const found = connection
    .prepare(
      `SELECT total(max(n, 0)) AS added, total(max(-n, 0)) AS removed FROM (SELECT sum(n) AS n FROM (${both}) GROUP BY ${groups.join(", ")})`,
    )
    .get() as { added: number; removed: number };
  return { ...NONE, rowsAdded: found.added, rowsRemoved: found.removed };
}

/** How many places in the order of rowids hold another row, when both states have the same rows. */
async function misplaced(connection: Database.Database, keyless: Keyless, signal?: AbortSignal): Promise<number> {
  const ordered = (which: "before" | "after"): IterableIterator<unknown[]> =>
    connection
      .prepare(`${rowsOf(keyless, which)} ORDER BY keepsake_row`)
      .safeIntegers()
      .raw()
      .iterate() as IterableIterator<unknown[]>;
  const other = ordered("after");
  let places = 0;
  let rows = 0;
  try {
    for (const row of ordered("before")) {
      const moved = other.next();
      if (moved.done === true || !sameRow(row, moved.value)) places++;
      if (++rows % ROWS_PER_TURN === 0) await breathe(signal);
    }
  } finally {
    other.return?.();
  }
  return places;
}

/** The first value is the rowid. */
function sameRow(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.every((value, index) => {
    const other = b[index];
    if (index === 0) return true;
    return Buffer.isBuffer(value) && Buffer.isBuffer(other) ? value.equals(other) : value === other;
  });
}

function rowsOf({ columns, filter, ...sides }: Keyless, which: "before" | "after"): string {
  const { from, rowid } = sides[which];
  const fields = [`${rowid ?? "NULL"} AS keepsake_row`, ...columns.map(({ name }) => quoted(name))];
  return `SELECT ${fields.join(", ")} FROM ${from} WHERE ${filter}`;
}
