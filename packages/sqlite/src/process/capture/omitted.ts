import { existsSync } from "node:fs";
import { errnoOf } from "@keepsake/core/basics";
import type { CopyResult } from "../protocol.js";
import { isDamage, isNameGone, sqliteCodeOf } from "../sqlite-error.js";

/** Why there is no copy of a database. */
export type Omitted = Extract<CopyResult, { status: "omitted" }>;

/** The omission that an error means, or undefined when it is not this one file's fault. */
export function explain(error: unknown, file: string): Omitted | undefined {
  if (isDamage(error)) return damaged(error instanceof Error ? error.message : String(error));
  const errno = errnoOf(error);
  const cannotOpen = sqliteCodeOf(error)?.startsWith("SQLITE_CANTOPEN") === true;
  const isMissed = cannotOpen || isNameGone(error);
  if (errno === "ENOENT" || (isMissed && !existsSync(file))) return { status: "omitted", reason: "vanished" };
  if (errno === "EACCES" || errno === "EPERM" || cannotOpen) return unreadable(error);
  return undefined;
}

/** What is no sound database. */
export function damaged(detail: string): Omitted {
  return { status: "omitted", reason: "damaged", code: "E_DATABASE_DAMAGED", detail };
}

/** What this user may not read. */
export function unreadable(error: unknown): Omitted {
  const detail = errnoOf(error) ?? sqliteCodeOf(error) ?? "";
  return { status: "omitted", reason: "unreadable", code: "E_PERMISSION", detail };
}
