import type Database from "better-sqlite3";
import { quoted } from "../names.js";
import type { RowDelta } from "../protocol.js";
import { compareKeyless } from "./compare-keyless.js";
import { sameValues } from "./row-sql.js";
import { type Column, folded, type Layout } from "./schema.js";
import { tally } from "./tally.js";

/** Collations every SQLite knows. A key under another one is matched byte by byte. */
const KNOWN_COLLATIONS = new Set(["BINARY", "NOCASE", "RTRIM"]);

/**
 * Rows added, removed and changed between two states of a table, told apart by their primary key. Values are the same when
 * type and bytes are: 1, 1.0, '1' and x'31' differ, and so do 'a' and 'A' under NOCASE. Only columns of both states count.
 *
 * Rows of a table without a key, and those whose key holds NULL (which SQLite allows, and more than once), go by rowid. A
 * table whose key columns are others now has lost all its rows and got all it has.
 */
export async function compareRows(
  connection: Database.Database,
  before: Layout,
  after: Layout,
  signal?: AbortSignal,
): Promise<RowDelta> {
  if (keySignature(before) !== keySignature(after)) {
    return { rowsAdded: count(connection, after, "1"), rowsRemoved: count(connection, before, "1"), rowsChanged: 0 };
  }
  const columns = commonColumns(before, after);
  if (before.key.length === 0) return compareKeyless(connection, { before, after, columns, filter: "1" }, signal);
  const keyed = await compareKeyed(connection, before, after, columns, signal);
  const holes = before.key.filter(({ notNull }, index) => !(notNull && after.key[index]?.notNull === true));
  if (holes.length === 0) return keyed;
  const filter = holes.map(({ name }) => `${quoted(name)} IS NULL`).join(" OR ");
  if (count(connection, before, filter) + count(connection, after, filter) === 0) return keyed;
  const rest = await compareKeyless(connection, { before, after, columns, filter }, signal);
  return sumOf([keyed, rest]);
}

export function sumOf(deltas: readonly RowDelta[]): RowDelta {
  const sum = { rowsAdded: 0, rowsRemoved: 0, rowsChanged: 0 };
  for (const delta of deltas) {
    sum.rowsAdded += delta.rowsAdded;
    sum.rowsRemoved += delta.rowsRemoved;
    sum.rowsChanged += delta.rowsChanged;
  }
  return sum;
}

function keySignature({ key }: Layout): string {
  return JSON.stringify(key.map(({ name, affinity, collation }) => [folded(name), affinity, collation ?? "BINARY"]));
}

function commonColumns(before: Layout, after: Layout): Column[] {
  const known = new Set(after.columns.map(({ name }) => folded(name)));
  return before.columns.filter(({ name }) => known.has(folded(name)));
}

async function compareKeyed(
  connection: Database.Database,
  before: Layout,
  after: Layout,
  columns: readonly Column[],
  signal?: AbortSignal,
): Promise<RowDelta> {
  const whole = (alias: string): string =>
    before.key.map(({ name }) => `${alias}.${quoted(name)} IS NOT NULL`).join(" AND ");
  const match = before.key.map(({ name, collation }) => {
    const known = collation === undefined || KNOWN_COLLATIONS.has(collation);
    const how = collation === undefined ? "" : ` COLLATE ${known ? collation : "BINARY"}`;
    return `b.${quoted(name)} = a.${quoted(name)}${how}`;
  });
  const state = `CASE WHEN ${whole("b")} THEN NOT (${sameValues(columns)}) ELSE 2 END`;
  const sql = `SELECT ${state} FROM ${before.from} AS a LEFT JOIN ${after.from} AS b ON ${match.join(" AND ")}
    WHERE ${whole("a")}`;
  const [same, changed, removed] = await tally(connection, sql, signal);
  // A key matches at most one other, so whatever was not matched is new.
  const rowsAdded = count(connection, after, whole("t")) - same - changed;
  return { rowsAdded, rowsRemoved: removed, rowsChanged: changed };
}

function count(connection: Database.Database, { from }: Layout, filter: string): number {
  return connection.prepare(`SELECT count(*) FROM ${from} AS t WHERE ${filter}`).pluck().get() as number;
}
