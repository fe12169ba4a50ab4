/** What SQLite keeps beside a database. */
export const SIDECARS = ["-wal", "-shm", "-journal"] as const;

/** The name of a super-journal, which ties the transactions of several databases together: `<name>-mjXXXXXXXXX`. */
const SUPER_JOURNAL = /^(.+)-mj[0-9A-F]{9}$/;

/** The database that a super-journal's name names, or undefined. */
export function databaseOfSuperJournal(file: string): string | undefined {
  return SUPER_JOURNAL.exec(file)?.[1];
}

/** The database that something of this name would be beside, or undefined. */
export function databaseOfSidecar(file: string): string | undefined {
  const suffix = SIDECARS.find((candidate) => file.endsWith(candidate));
  return suffix === undefined ? undefined : file.slice(0, -suffix.length);
}
