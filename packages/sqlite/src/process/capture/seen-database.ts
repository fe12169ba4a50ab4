import { type BigIntStats, statSync } from "node:fs";
import { attributesOf, youngForMs } from "@keepsake/files";

/** A database and its log as the system describes them. */
export interface SeenDatabase {
  readonly mode: number;
  readonly mtimeMs: number;
  /**
   * Equal only when neither of them was written in between. Whether somebody set the log's owner does not count: SQLite does each
   * time that root opens the database.
   */
  readonly mark: string;
}

/**
 * Looks at a database without opening it: to close a descriptor of it would drop the locks that this process has on it.
 *
 * @returns undefined when it was written just now, so that another write might not show in its times, and where it cannot be
 *   looked at: a mark only saves work, and its absence fails nothing
 */
export function seeDatabase(file: string): SeenDatabase | undefined {
  try {
    return lookAt(file);
  } catch {
    return undefined;
  }
}

function lookAt(file: string): SeenDatabase | undefined {
  const nowMs = Date.now();
  const database = statSync(file, { bigint: true, throwIfNoEntry: false });
  const found = statSync(`${file}-wal`, { bigint: true, throwIfNoEntry: false });
  // An empty log says nothing: opening the database makes one.
  const log = found?.size === 0n ? undefined : found;
  if (database === undefined || youngForMs(database, nowMs) > 0) return undefined;
  if (log !== undefined && youngForMs({ ctimeNs: log.mtimeNs }, nowMs) > 0) return undefined;
  const { mode, mtimeMs } = attributesOf(database);
  const mark = `${describe(database)} ${String(database.ctimeNs)}, ${log === undefined ? "" : describe(log)}`;
  return { mode, mtimeMs, mark };
}

function describe({ dev, ino, mode, size, mtimeNs }: BigIntStats): string {
  return [dev, ino, mode, size, mtimeNs].map(String).join(" ");
}
