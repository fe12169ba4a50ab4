import { copyFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { sha256Hex } from "@keepsake/core";
import { type TempDir, tempDir } from "@keepsake/testkit";
import Database from "better-sqlite3";

/** All that a user of a database can see of it. Tables are given by the number and the digest of their rows. */
export interface LogicalDatabase {
  readonly userVersion: unknown;
  readonly applicationId: unknown;
  readonly encoding: unknown;
  readonly autoVacuum: unknown;
  readonly journalMode: unknown;
  readonly schema: readonly string[];
  readonly tables: Readonly<Record<string, { readonly rows: number; readonly sha256: string }>>;
}

/**
 * Reads a database as a program would, with what is in its log. It is copied first with its siblings, so that looking
 * changes nothing; nobody may be writing.
 */
export async function logicalDatabase(file: string): Promise<LogicalDatabase> {
  await using scratch = await tempDir();
  const copy = await copyWithSiblings(file, scratch);
  const database = new Database(copy);
  try {
    return describeDatabase(database);
  } finally {
    database.close();
  }
}

async function copyWithSiblings(file: string, scratch: TempDir): Promise<string> {
  const copy = join(scratch.path, basename(file));
  for (const suffix of ["", "-wal", "-journal"]) {
    if (suffix !== "" && (await stat(`${file}${suffix}`).catch(() => undefined)) === undefined) continue;
    await copyFile(`${file}${suffix}`, `${copy}${suffix}`);
  }
  return copy;
}

interface SchemaRow {
  readonly type: string;
  readonly name: string;
  readonly sql: string | null;
}

function describeDatabase(database: Database.Database): LogicalDatabase {
  const pragma = (name: string): unknown => database.pragma(name, { simple: true });
  const schema = database.prepare<[], SchemaRow>("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").all();
  const real = schema.filter(({ type, sql }) => type === "table" && !/^CREATE VIRTUAL TABLE/i.test(sql ?? ""));
  return {
    userVersion: pragma("user_version"),
    applicationId: pragma("application_id"),
    encoding: pragma("encoding"),
    autoVacuum: pragma("auto_vacuum"),
    journalMode: pragma("journal_mode"),
    schema: schema.map(({ type, name, sql }) => `${type} ${name}: ${sql ?? ""}`),
    tables: Object.fromEntries(real.map(({ name }) => [name, digestOfTable(database, name)])),
  };
}

/** Rows with their types: the number 1, the text "1" and the blob x'31' are three things. */
function digestOfTable(database: Database.Database, name: string): { rows: number; sha256: string } {
  const statement = database
    .prepare(`SELECT * FROM "${name.replaceAll('"', '""')}"`)
    .raw(true)
    .safeIntegers(true);
  const rows = (statement.all() as unknown[][]).map((row) => row.map(spell).join("|"));
  return { rows: rows.length, sha256: sha256Hex(Buffer.from(rows.sort().join("\n"))) };
}

function spell(value: unknown): string {
  if (Buffer.isBuffer(value)) return `x'${value.toString("hex")}'`;
  if (value === null) return "NULL";
  return typeof value === "string" ? JSON.stringify(value) : `${typeof value} ${(value as number | bigint).toString()}`;
}
