import { closeSync, constants, lstatSync, openSync, readSync } from "node:fs";
import {
  type FileIdentity,
  type FsPath,
  fromJsonPath,
  holdersOfFiles,
  identityOf,
  isPending,
  liveHolder,
  lockedHere,
  namedHolders,
  type SwapStep,
  walkTreeSync,
} from "@keepsake/files";

/** The first bytes of every SQLite database (sqlite.org/fileformat2.html, section 1.3). */
const MAGIC = Buffer.from("SQLite format 3\0", "latin1");
/** What SQLite keeps beside a database. */
const SIDECAR = /-(?:wal|shm|journal)$/;
const WAYS_OUT =
  "Stop the agent first, or let a sqlite source take the database: only that can write through an open one.";

interface Candidate extends FileIdentity {
  readonly path: FsPath;
}

/**
 * Refuses steps that would take a database, or what lies beside it, from under a process that has it open: that process
 * would write on into a file without a name. Usually a sqlite source takes every database; one that it was told to leave
 * out is a file like any other.
 *
 * @throws KeepsakeError `E_LIVE_HOLDER`
 */
export function refuseOpenDatabases(steps: readonly SwapStep[]): void {
  const candidates = steps
    .filter(isPending)
    .flatMap((step) => filesAt(fromJsonPath(step.live), step.do === "remove" ? step.unless : undefined));
  const isLockedHere = lockedHere();
  for (const [file, pids] of holdersOfFiles(candidates)) {
    const database = Buffer.from(file.path).toString("utf8").replace(SIDECAR, "");
    // What is locked here is not opened, which would drop the lock; and who locks a file is a database more often than not.
    if (isLockedHere(file) || isDatabase(database)) throw liveHolder(database, namedHolders(pids), WAYS_OUT);
  }
}

/** The files that a step would take away: one, or all of a folder. */
function filesAt(path: FsPath, unless: "directory" | undefined): readonly Candidate[] {
  const identity = identityOf(path);
  if (identity !== undefined) return [{ ...identity, path }];
  if (unless === "directory" || !isFolder(path)) return [];
  return [...walkTreeSync(path)].flatMap((found) =>
    found.type === "file" ? [{ path: found.absolute, dev: BigInt(found.stats.dev), ino: BigInt(found.stats.ino) }] : [],
  );
}

function isFolder(path: FsPath): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    // Nothing is there, or a file is where its folder would be.
    return false;
  }
}

function isDatabase(file: FsPath): boolean {
  try {
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const start = Buffer.alloc(MAGIC.length);
      return readSync(descriptor, start, 0, start.length, 0) === start.length && start.equals(MAGIC);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // What is not there any more, or may not be read, is no database that we could name.
    return false;
  }
}
