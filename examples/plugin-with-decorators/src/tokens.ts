/** What the classes of this plugin are given, by name. */
export const JOURNAL_CLOCK = Symbol("journal clock");
export const JOURNAL_PATH = Symbol("journal path");

/** The file as configured: relative to the folder of the configuration. */
export interface JournalPath {
  readonly baseDir: string;
  readonly file: string;
}
