import { type Holder, holdersOfFiles, identityOf, liveHolder, namedHolders } from "@keepsake/files";
import { SIDECARS } from "../sidecars.js";
import { isLocked } from "./lock-probe.js";

/** What can be done about a database that others have open. */
export const WAYS_OUT = "Stop the agent first, or use --live to write through the open database.";

/**
 * Who has the database or one of its sidecars open, this process left out. A connection to a write-ahead log keeps locks
 * for as long as it is open. Where the system does not tell, and for those that are hidden, a lock that cannot be had tells.
 */
export function holdersOf(database: string): readonly Holder[] {
  const names = [database, ...SIDECARS.map((suffix) => `${database}${suffix}`)];
  const files = names.flatMap((file) => identityOf(file) ?? []);
  if (files.length === 0) return [];
  const pids = new Set([...holdersOfFiles(files).values()].flatMap((holding) => [...holding]));
  pids.delete(process.pid);
  if (pids.size === 0) return isLocked(database) ? [{ pid: undefined, program: undefined }] : [];
  return namedHolders(pids);
}

/** @throws KeepsakeError `E_LIVE_HOLDER` naming every process that has one of the databases open */
export function refuseHolders(databases: readonly string[]): void {
  for (const database of databases) {
    const holders = holdersOf(database);
    if (holders.length > 0) throw liveHolder(database, holders, WAYS_OUT);
  }
}
