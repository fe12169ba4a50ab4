import type { ArtifactReader, BundleEntry, DiffItem, OpOptions, SourceDiff } from "@keepsake/core";
import { HelperProcess } from "./process/helper-process.js";
import type { DatabasePair, DiffLine } from "./process/protocol.js";

/**
 * What changed in the databases of two bundles. A database of equal content gives no item, whatever its bytes.
 *
 * Items are `<database>` (added or removed: `tables`, `rowsAdded` or `rowsRemoved`; changed: `userVersionBefore`,
 * `userVersionAfter`, `applicationIdBefore`, `applicationIdAfter`, `textEncodingChanged`) and `<database>:<name>`: a table
 * with `rowsAdded`, `rowsRemoved`, `rowsChanged`, `schemaChanged`, `notCompared` (reading it needs what is not loaded
 * here); a virtual table with its `module` and `shadowRowsAdded`, `shadowRowsRemoved`, `shadowRowsChanged`, rows of the
 * tables in which the module keeps its data; an index, a view or a trigger, which `object` says. What is zero is left out.
 *
 * @throws KeepsakeError `E_DATABASE_DAMAGED` when a database cannot be read
 */
export async function diffSqlite(
  before: ArtifactReader,
  after: ArtifactReader,
  op: OpOptions = {},
): Promise<SourceDiff> {
  const lines: (readonly DiffLine[])[] = [];
  const pairs = pairsOf(before, after);
  if (pairs.length > 0) {
    await using helper = new HelperProcess();
    for (const pair of pairs) lines.push(await helper.call("diff", pair, op));
  }
  return { items: lines.flat().map(itemOf), summary: summaryOf(lines) };
}

/** Databases that are not the same to the byte, in the order of their paths. */
function pairsOf(before: ArtifactReader, after: ArtifactReader): DatabasePair[] {
  const [old, now] = [databasesOf(before), databasesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((path) => {
    const [a, b] = [old.get(path), now.get(path)];
    if (a?.meta.sha256 === b?.meta.sha256) return [];
    return [{ path, before: a?.file ?? null, after: b?.file ?? null }];
  });
}

function databasesOf({ entries }: ArtifactReader): Map<string, BundleEntry> {
  return new Map(entries.filter(({ file }) => file !== undefined).map((entry) => [entry.path, entry]));
}

function itemOf({ path, change, details }: DiffLine): DiffItem {
  return { path, change, details };
}

function summaryOf(databases: readonly (readonly DiffLine[])[]): SourceDiff["summary"] {
  const summary = {
    databasesAdded: 0,
    databasesRemoved: 0,
    databasesChanged: 0,
    tablesChanged: 0,
    rowsAdded: 0,
    rowsRemoved: 0,
    rowsChanged: 0,
  };
  for (const lines of databases) {
    const whole = lines.find(({ level, change }) => level === "database" && change !== "changed");
    if (whole?.change === "added") summary.databasesAdded++;
    else if (whole?.change === "removed") summary.databasesRemoved++;
    else if (lines.length > 0) summary.databasesChanged++;
    for (const { level, rows } of lines) {
      if (level === "table") summary.tablesChanged++;
      summary.rowsAdded += rows.rowsAdded;
      summary.rowsRemoved += rows.rowsRemoved;
      summary.rowsChanged += rows.rowsChanged;
    }
  }
  return summary;
}
