/** Whether the same call may succeed later without anything being changed. */
export type RetryAdvice = "permanent" | "temporary";

interface CodeFacts {
  /** the process exit code of the command line */
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 10 | 11 | 12 | 13 | 130;
  readonly retry: RetryAdvice;
  readonly meaning: string;
}

/** Every stable error code. The documentation and the exit codes are tested to say the same as this table. */
export const ERROR_CODES = {
  E_INTERNAL: { exit: 1, retry: "permanent", meaning: "a defect in Keepsake or in a plugin" },
  E_IO: { exit: 1, retry: "temporary", meaning: "the system could not read or write" },
  E_NO_SPACE: { exit: 1, retry: "temporary", meaning: "the disk or the quota is full" },
  E_PERMISSION: { exit: 1, retry: "permanent", meaning: "the system denied access" },
  E_READ_ONLY: { exit: 1, retry: "permanent", meaning: "the place to write to is read-only" },

  E_USAGE: { exit: 2, retry: "permanent", meaning: "a command, an option or an argument is wrong" },
  E_CONFIG: { exit: 2, retry: "permanent", meaning: "the configuration is wrong; every problem is listed" },
  E_INVALID_ID: { exit: 2, retry: "permanent", meaning: "a tenant, agent or snapshot id is malformed" },
  E_AMBIGUOUS_REF: { exit: 2, retry: "permanent", meaning: "a snapshot reference fits several snapshots" },
  E_RECIPIENT: { exit: 2, retry: "permanent", meaning: "an encryption recipient is missing or malformed" },

  E_INCOMPLETE: { exit: 3, retry: "permanent", meaning: "done, but something expected was absent or unreadable" },

  E_INTEGRITY: { exit: 4, retry: "permanent", meaning: "bytes are not what their digest says" },
  E_TRUNCATED: { exit: 4, retry: "permanent", meaning: "a bundle or stream ends before its end" },
  E_TRAILING_DATA: { exit: 4, retry: "permanent", meaning: "a bundle or stream goes on after its end" },
  E_UNSAFE_PATH: {
    exit: 4,
    retry: "permanent",
    meaning: "a path or link in a bundle would leave its place or is ambiguous",
  },
  E_MANIFEST: { exit: 4, retry: "permanent", meaning: "the manifest is missing, malformed or does not fit the bundle" },
  E_RECORD: { exit: 4, retry: "permanent", meaning: "the record beside a bundle is malformed" },
  E_LIMIT: { exit: 4, retry: "permanent", meaning: "something is larger than is allowed" },
  E_REDACTION_RESIDUE: {
    exit: 4,
    retry: "permanent",
    meaning: "a redacted bundle still held a part of a secret; it was not published",
  },
  E_DATABASE_DAMAGED: {
    exit: 4,
    retry: "permanent",
    meaning: "a file that begins like an SQLite database cannot be read as one",
  },
  E_STATE_DAMAGED: { exit: 4, retry: "permanent", meaning: "a runtime value is there and cannot be read as JSON" },
  E_REPOSITORY_DAMAGED: { exit: 4, retry: "permanent", meaning: "a git repository lacks objects that its refs need" },

  E_LAST_SNAPSHOT: { exit: 5, retry: "permanent", meaning: "the last snapshot of an agent is never deleted" },
  E_NEWEST_VERIFIED: {
    exit: 5,
    retry: "permanent",
    meaning: "the newest verified or proven snapshot is never deleted",
  },
  E_REDACTED_BUNDLE: {
    exit: 5,
    retry: "permanent",
    meaning: "a redacted bundle goes over live memory only when that is accepted",
  },
  E_REDACTION_BLOCKED: {
    exit: 5,
    retry: "permanent",
    meaning: "a rule that blocks found something; nothing was published",
  },
  E_REDACTION_UNSCANNED: {
    exit: 5,
    retry: "permanent",
    meaning: "something could not be scanned, and only a clean result is accepted",
  },
  E_LIVE_HOLDER: { exit: 5, retry: "temporary", meaning: "another process holds a database that would be replaced" },
  E_WRONG_AGENT: { exit: 5, retry: "permanent", meaning: "the bundle belongs to another agent" },
  E_WRONG_TENANT: { exit: 5, retry: "permanent", meaning: "the bundle belongs to another tenant" },
  E_CONFIRMATION: { exit: 5, retry: "permanent", meaning: "a destructive command was not confirmed" },

  E_FORMAT_TOO_NEW: {
    exit: 6,
    retry: "permanent",
    meaning: "the bundle was made by a newer format than this program reads",
  },
  E_UNSUPPORTED: { exit: 6, retry: "permanent", meaning: "the operation or format is not supported here" },

  E_NOT_FOUND: { exit: 10, retry: "permanent", meaning: "the snapshot, object or file does not exist" },
  E_ALREADY_EXISTS: { exit: 10, retry: "permanent", meaning: "something of that name exists; nothing is overwritten" },
  E_UNKNOWN_AGENT: { exit: 10, retry: "permanent", meaning: "the agent has no memory where it is looked for" },
  E_NOTHING_TO_CAPTURE: {
    exit: 10,
    retry: "permanent",
    meaning: "the agent's memory holds nothing; no empty bundle is made",
  },

  E_LOCKED: { exit: 11, retry: "temporary", meaning: "another operation on this agent is running" },
  E_LOCK_LOST: { exit: 11, retry: "temporary", meaning: "the lock was lost while the operation ran" },
  E_SOURCE_CHANGED: {
    exit: 11,
    retry: "temporary",
    meaning: "the live data kept changing; no consistent moment was found",
  },
  E_SOURCE_BUSY: { exit: 11, retry: "temporary", meaning: "a database stayed locked by another process" },

  E_DECRYPT: { exit: 12, retry: "permanent", meaning: "no given identity or passphrase decrypts the bundle" },
  E_IDENTITY: { exit: 12, retry: "permanent", meaning: "an identity is needed and missing, or its file is malformed" },

  E_PLUGIN_LOAD: { exit: 13, retry: "permanent", meaning: "a plugin could not be found or loaded, or is none" },
  E_PLUGIN_API: { exit: 13, retry: "permanent", meaning: "a plugin is written for another plugin API" },
  E_PLUGIN_UNKNOWN: { exit: 13, retry: "permanent", meaning: "no loaded plugin provides what is used" },
  E_PLUGIN_DUPLICATE: { exit: 13, retry: "permanent", meaning: "two plugins provide the same name" },
  E_PLUGIN_CYCLE: { exit: 13, retry: "permanent", meaning: "plugin providers need each other in a circle" },
  E_PLUGIN_FAILED: { exit: 13, retry: "permanent", meaning: "a plugin threw; its error is the cause" },
  E_PLUGIN_TIMEOUT: { exit: 13, retry: "temporary", meaning: "a plugin did not answer within its time" },
} as const satisfies Record<string, CodeFacts>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** True when `value` is one of the stable codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERROR_CODES, value);
}
