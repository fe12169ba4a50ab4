import type BetterSqlite from "better-sqlite3";
import { Database } from "../better-sqlite.js";
import type { DatabasePair, DiffLine } from "../protocol.js";
import { keepsakeErrorOf, sqliteCodeOf } from "../sqlite-error.js";
import { diffPresent } from "./diff-present.js";
import { diffTables, NO_ROWS } from "./diff-tables.js";
import { readSchema, type Schema } from "./schema.js";

/**
 * What differs between two databases, or what one of them holds when the other is not there. Both are opened read-only.
 * SQLite's own tables (`sqlite_sequence`, statistics) are left out, and no virtual table is ever asked.
 *
 * @throws KeepsakeError `E_DATABASE_DAMAGED` when one cannot be read
 */
export async function diffDatabases(
  { path, before, after }: DatabasePair,
  signal?: AbortSignal,
): Promise<readonly DiffLine[]> {
  try {
    if (before !== null && after !== null) return await diffBoth(path, before, after, signal);
    const only = before ?? after;
    return only === null ? [] : diffPresent(path, only, before === null ? "added" : "removed");
  } catch (error) {
    if (sqliteCodeOf(error) === undefined) throw error;
    throw keepsakeErrorOf(error, `The states of the database "${path}" could not be compared`, { path });
  }
}

async function diffBoth(path: string, before: string, after: string, signal?: AbortSignal): Promise<DiffLine[]> {
  const connection = new Database(before, { readonly: true, fileMustExist: true });
  try {
    connection.pragma("trusted_schema = OFF");
    if (encodingOf(before) !== encodingOf(after)) {
      // SQLite attaches no database of another text encoding: what was there is gone, what is there is new.
      return [
        { path, level: "database", change: "changed", details: { textEncodingChanged: true }, rows: NO_ROWS },
        ...diffPresent(path, before, "removed", "table"),
        ...diffPresent(path, after, "added", "table"),
      ];
    }
    connection.prepare("ATTACH ? AS other").run(after);
    const [old, now] = [readSchema(connection, "main"), readSchema(connection, "other")];
    return [
      ...headerLine(connection, path),
      ...(await diffTables(connection, path, old, now, signal)),
      ...diffObjects(path, old, now),
    ];
  } finally {
    connection.close();
  }
}

function encodingOf(file: string): unknown {
  const connection = new Database(file, { readonly: true, fileMustExist: true });
  try {
    // A database without content takes any encoding.
    const empty = connection.prepare("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)").pluck().get() === 1;
    return empty ? "UTF-8" : connection.pragma("encoding", { simple: true });
  } finally {
    connection.close();
  }
}

function headerLine(connection: BetterSqlite.Database, path: string): DiffLine[] {
  const details: Record<string, number> = {};
  for (const [pragma, name] of [
    ["user_version", "userVersion"],
    ["application_id", "applicationId"],
  ] as const) {
    const [a, b] = ["main", "other"].map((side) => connection.pragma(`${side}.${pragma}`, { simple: true }) as number);
    if (a === undefined || b === undefined || a === b) continue;
    details[`${name}Before`] = a;
    details[`${name}After`] = b;
  }
  if (Object.keys(details).length === 0) return [];
  return [{ path, level: "database", change: "changed", details, rows: NO_ROWS }];
}

/** Indexes, views and triggers, by their text: nothing they use needs to be known here. */
function diffObjects(path: string, before: Schema, after: Schema): DiffLine[] {
  return [...new Set([...before.objects.keys(), ...after.objects.keys()])].sort().flatMap((key): DiffLine[] => {
    const [a, b] = [before.objects.get(key), after.objects.get(key)];
    const shown = b ?? a;
    if (shown === undefined || a?.sql === b?.sql) return [];
    const change = a === undefined ? "added" : b === undefined ? "removed" : "changed";
    const details = { object: shown.type };
    return [{ path: `${path}:${shown.name}`, level: "object", change, details, rows: NO_ROWS }];
  });
}
