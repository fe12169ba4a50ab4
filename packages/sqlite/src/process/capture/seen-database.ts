import { statSync } from "node:fs";
import { attributesOf, youngForMs } from "@keepsake/files";

/** A database as the system describes it, while nobody can commit. */
export interface SeenDatabase {
  readonly mode: number;
  readonly mtimeMs: number;
  /** equal only when neither the database nor its log was written in between */
  readonly mark: string;
}

/**
 * Looks at a database without opening it: to close a descriptor of it would drop the locks that this process has on it.
 *
 * @returns undefined when it was written just now, so that another write might not show in its times
 */
export function seeDatabase(file: string): SeenDatabase | undefined {
  const nowMs = Date.now();
  const database = statSync(file, { bigint: true, throwIfNoEntry: false });
  const log = statSync(`${file}-wal`, { bigint: true, throwIfNoEntry: false });
  if (database === undefined) return undefined;
  // An empty log says nothing: opening the database makes one.
  const written = log === undefined || log.size === 0n ? [database] : [database, log];
  if (written.some((stats) => youngForMs(stats, nowMs) > 0)) return undefined;
  const marks = written.map(({ dev, ino, mode, size, mtimeNs, ctimeNs }) =>
    [dev, ino, mode, size, mtimeNs, ctimeNs].map(String).join(" "),
  );
  const { mode, mtimeMs } = attributesOf(database);
  return { mode, mtimeMs, mark: marks.join(", ") };
}
