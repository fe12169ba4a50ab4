import type { JsonObject } from "@keepsake/core";
import type Database from "better-sqlite3";
import { quoted } from "../names.js";
import type { DiffLine, RowDelta } from "../protocol.js";
import { isDamage, sqliteCodeOf } from "../sqlite-error.js";
import { compareRows, sumOf } from "./compare-rows.js";
import { type Layout, readLayout, type Schema, type Side, type Table } from "./schema.js";
import { breathe } from "./tally.js";

export const NO_ROWS: RowDelta = { rowsAdded: 0, rowsRemoved: 0, rowsChanged: 0 };

/** What differs in the tables of two databases: one line for each table, those behind virtual tables summed up. */
export async function diffTables(
  connection: Database.Database,
  path: string,
  before: Schema,
  after: Schema,
  signal?: AbortSignal,
): Promise<DiffLine[]> {
  const lines: DiffLine[] = [];
  for (const key of [...new Set([...before.tables.keys(), ...after.tables.keys()])].sort()) {
    await breathe(signal);
    const [a, b] = [before.tables.get(key), after.tables.get(key)];
    const sameKind = (a?.module === undefined) === (b?.module === undefined);
    if (a !== undefined && b !== undefined && sameKind) {
      const line = await diffTable(connection, `${path}:${b.name}`, a, b, signal);
      if (line !== undefined) lines.push(line);
    } else {
      if (a !== undefined) lines.push(wholeTable(connection, "main", `${path}:${a.name}`, a, "removed"));
      if (b !== undefined) lines.push(wholeTable(connection, "other", `${path}:${b.name}`, b, "added"));
    }
  }
  return lines;
}

/** A table that only one state has, with the number of its rows. */
export function wholeTable(
  connection: Database.Database,
  side: Side,
  path: string,
  table: Table,
  change: "added" | "removed",
): DiffLine {
  const counts = tableNames(table).map((name) => countOf(connection, side, name));
  const sum = counts.reduce<number>((all, count) => all + (count ?? 0), 0);
  const delta = { ...NO_ROWS, [change === "added" ? "rowsAdded" : "rowsRemoved"]: sum };
  return tableLine(path, change, table, delta, counts.includes(undefined) ? { notCompared: true } : {});
}

async function diffTable(
  connection: Database.Database,
  path: string,
  before: Table,
  after: Table,
  signal?: AbortSignal,
): Promise<DiffLine | undefined> {
  const pairs: [string | undefined, string | undefined][] =
    after.module === undefined
      ? [[before.name, after.name]]
      : [...new Set([...before.shadows.keys(), ...after.shadows.keys()])].map((suffix) => [
          before.shadows.get(suffix),
          after.shadows.get(suffix),
        ]);
  const deltas: RowDelta[] = [];
  const facts: Record<string, boolean> = {};
  for (const [a, b] of pairs) {
    try {
      const old = a === undefined ? undefined : readLayout(connection, "main", a);
      const now = b === undefined ? undefined : readLayout(connection, "other", b);
      deltas.push(await pairDelta(connection, old, now, signal));
    } catch (error) {
      // It needs what is not loaded here. Better one change too many than one unseen.
      if (isDamage(error) || sqliteCodeOf(error) !== "SQLITE_ERROR") throw error;
      facts["notCompared"] = true;
    }
  }
  if (before.sql !== after.sql) facts["schemaChanged"] = true;
  const delta = sumOf(deltas);
  const unchanged = Object.keys(facts).length === 0 && Object.values(delta).every((rows) => rows === 0);
  return unchanged ? undefined : tableLine(path, "changed", after, delta, facts);
}

async function pairDelta(
  connection: Database.Database,
  before: Layout | undefined,
  after: Layout | undefined,
  signal?: AbortSignal,
): Promise<RowDelta> {
  if (before !== undefined && after !== undefined) return compareRows(connection, before, after, signal);
  const rows = (layout: Layout | undefined): number =>
    layout === undefined ? 0 : (connection.prepare(`SELECT count(*) FROM ${layout.from}`).pluck().get() as number);
  return { rowsAdded: rows(after), rowsRemoved: rows(before), rowsChanged: 0 };
}

/** The rows behind a virtual table are its module's way to store things, not rows of the user: no total counts them. */
function tableLine(
  path: string,
  change: DiffLine["change"],
  { module }: Table,
  delta: RowDelta,
  facts: JsonObject,
): DiffLine {
  const { rowsAdded, rowsRemoved, rowsChanged } = delta;
  if (module === undefined)
    return { path, level: "table", change, details: { ...filled({ ...delta }), ...facts }, rows: delta };
  const shadow = { shadowRowsAdded: rowsAdded, shadowRowsRemoved: rowsRemoved, shadowRowsChanged: rowsChanged };
  return { path, level: "table", change, details: { module, ...filled(shadow), ...facts }, rows: NO_ROWS };
}

/** Without what is zero. */
function filled(counts: Readonly<Record<string, number>>): JsonObject {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

function tableNames(table: Table): string[] {
  return table.module === undefined ? [table.name] : [...table.shadows.values()];
}

/** undefined when the table needs what is not loaded here */
function countOf(connection: Database.Database, side: Side, table: string): number | undefined {
  try {
    return connection
      .prepare(`SELECT count(*) FROM ${side}.${quoted(table)}`)
      .pluck()
      .get() as number;
  } catch (error) {
    if (isDamage(error) || sqliteCodeOf(error) !== "SQLITE_ERROR") throw error;
    return undefined;
  }
}
