import {
  type ErrorCode,
  fromSystemError,
  isKeepsakeError,
  type JsonObject,
  KeepsakeError,
} from "@keepsake/core/basics";

/** The result code of an SQLite error ("SQLITE_BUSY_RECOVERY"), or undefined for any other error. */
export function sqliteCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return error.code.startsWith("SQLITE_") ? error.code : undefined;
}

/** True when another connection is in the way. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCodeOf(error) ?? "";
  return code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED");
}

/** True when the bytes are no sound database. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCodeOf(error) ?? "";
  return code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB" || code === "SQLITE_IOERR_SHORT_READ";
}

/** True when reading would first have to roll an interrupted transaction back, which a reader may not. */
export function isLeftInTransaction(error: unknown): boolean {
  const code = sqliteCodeOf(error) ?? "";
  return code.startsWith("SQLITE_READONLY");
}

/** True when a row would have what another one has, where only one may have it. */
export function isUniqueConflict(error: unknown): boolean {
  const code = sqliteCodeOf(error) ?? "";
  return code === "SQLITE_CONSTRAINT_UNIQUE" || code === "SQLITE_CONSTRAINT_PRIMARYKEY";
}

/** True when a row would be what its table does not allow. */
export function isConstraint(error: unknown): boolean {
  return sqliteCodeOf(error)?.startsWith("SQLITE_CONSTRAINT") === true;
}

/** True when a statement needs a function, a collation or a module that is not loaded here. */
export function isUnknownPart(error: unknown): boolean {
  return sqliteCodeOf(error)?.startsWith("SQLITE_ERROR") === true;
}

/** True when the name of an open database was gone, or another's, just when its log was to be made beside it. */
export function isNameGone(error: unknown): boolean {
  return sqliteCodeOf(error) === "SQLITE_IOERR_FSTAT";
}

const CODES: readonly (readonly [string, ErrorCode])[] = [
  ["SQLITE_BUSY", "E_SOURCE_BUSY"],
  ["SQLITE_LOCKED", "E_SOURCE_BUSY"],
  ["SQLITE_FULL", "E_NO_SPACE"],
  // It came again since.
  ["SQLITE_IOERR_FSTAT", "E_SOURCE_CHANGED"],
  ["SQLITE_CORRUPT", "E_DATABASE_DAMAGED"],
  ["SQLITE_NOTADB", "E_DATABASE_DAMAGED"],
  ["SQLITE_PERM", "E_PERMISSION"],
  ["SQLITE_AUTH", "E_PERMISSION"],
  ["SQLITE_READONLY", "E_READ_ONLY"],
];

/** What SQLite or the system threw, as a KeepsakeError. @param sentence what was being done, without a full stop */
export function keepsakeErrorOf(error: unknown, sentence: string, context: JsonObject = {}): KeepsakeError {
  if (isKeepsakeError(error)) return error;
  const sqlite = sqliteCodeOf(error);
  if (sqlite !== undefined) {
    const code = CODES.find(([prefix]) => sqlite.startsWith(prefix))?.[1] ?? "E_IO";
    return new KeepsakeError(code, `${sentence} (${sqlite}).`, { cause: error, context: { ...context, sqlite } });
  }
  if (error instanceof TypeError || error instanceof RangeError) {
    return new KeepsakeError("E_INTERNAL", `${sentence} (${error.message}).`, { cause: error, context });
  }
  const made = fromSystemError(error, sentence, context);
  return isKeepsakeError(made) ? made : new KeepsakeError("E_INTERNAL", `${sentence}.`, { cause: made, context });
}
