import type { ErrorCode, JsonObject, OmissionReason, PathClaim, PlannedChange, RetryAdvice } from "@keepsake/core";
import type { SwapPlan } from "@keepsake/files";
import type { Selection } from "../options.js";
import type { RedactionCalls } from "./redact/protocol.js";

/** A database file of the live memory. */
export interface FoundDatabase {
  /** absolute path */
  readonly file: string;
  /** below the root, `/`-separated, the real name */
  readonly name: string;
  /** the name as an artifact path */
  readonly path: string;
  readonly nameEncoding?: "percent";
}

/** Something that belongs to the source and is no readable database. */
export interface Exclusion {
  readonly path: string;
  readonly reason: OmissionReason;
  readonly code?: ErrorCode;
  readonly detail?: string;
}

/** What a look at the live memory found. */
export interface Discovery {
  /** in the order in which they are held: by real path */
  readonly databases: readonly FoundDatabase[];
  readonly omitted: readonly Exclusion[];
  /** required ones that are not there */
  readonly absent: readonly string[];
  readonly claims: readonly PathClaim[];
}

export interface OpenRequest {
  readonly selection: Selection;
  readonly scratchDir: string;
  /** marks of databases that need not be copied again, by the path of the artifact */
  readonly known: Readonly<Record<string, string>>;
}

/** A finished copy, or why there is none. */
export type CopyResult =
  | {
      readonly status: "copied";
      readonly file: string;
      readonly mode: number;
      readonly mtimeMs: number;
      readonly userVersion: number;
      readonly facts: JsonObject;
      readonly mark?: string;
    }
  | { readonly status: "known"; readonly mode: number; readonly mtimeMs: number; readonly mark: string }
  | ({ readonly status: "omitted" } & Omit<Exclusion, "path">);

/** A database of a bundle, to be staged. */
export interface IncomingDatabase {
  /** below the root, the real name */
  readonly name: string;
  /** the name as an artifact path, for reports */
  readonly path: string;
  readonly file: string;
  readonly mode: number;
  readonly mtimeMs: number;
  readonly journalMode: string | undefined;
  readonly rowCounts: Readonly<Record<string, number>> | undefined;
  /** what was odd about it when it was captured */
  readonly knownNotes: readonly string[];
}

export interface StageRequest {
  readonly selection: Selection;
  readonly stageDir: string;
  /** private places for what lies on another file system than the root, the innermost first */
  readonly mounts: readonly { readonly folder: string; readonly stageDir: string }[];
  readonly incoming: readonly IncomingDatabase[];
  /** artifact paths that stay as they are */
  readonly untouched: readonly string[];
  /** artifact paths of live databases that go when they are not among the incoming; absent: all that are found */
  readonly removable?: readonly string[];
  readonly live: boolean;
}

/** A database that is overwritten through SQLite, because others hold it open. */
export interface WriteThrough {
  readonly live: string;
  readonly staged: string;
  readonly undo: string;
  /** a file that exists from the moment the live database may be changed */
  readonly begun: string;
}

export interface StagedRestore {
  readonly changes: readonly PlannedChange[];
  readonly notices: readonly string[];
  readonly swap: SwapPlan;
  readonly through: readonly WriteThrough[];
}

/** One database of two bundles; null where it is not in one of them. */
export interface DatabasePair {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface RowDelta {
  rowsAdded: number;
  rowsRemoved: number;
  rowsChanged: number;
}

export interface DiffLine {
  readonly path: string;
  readonly level: "database" | "table" | "object";
  readonly change: "added" | "removed" | "changed";
  readonly details: JsonObject;
  readonly rows: RowDelta;
}

/** Every call the helper process answers: argument and answer. Plain data, structured clone. */
export interface Calls extends RedactionCalls {
  versions: [null, Readonly<Record<string, string>>];
  open: [OpenRequest, Discovery];
  hold: [{ readonly timeoutMs: number }, null];
  release: [null, null];
  pin: [null, "held" | "fenced"];
  unpin: [null, null];
  fence: [null, string];
  copy: [{ readonly index: number }, CopyResult];
  discover: [Selection, Discovery];
  stage: [StageRequest, StagedRestore];
  checkFree: [{ readonly files: readonly string[] }, null];
  writeThrough: [{ readonly steps: readonly WriteThrough[] }, null];
  undoWriteThrough: [{ readonly steps: readonly WriteThrough[] }, null];
  diff: [DatabasePair, readonly DiffLine[]];
  close: [null, null];
}

export type CallName = keyof Calls;

/** A KeepsakeError or another error on its way between processes. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: ErrorCode;
  readonly context?: JsonObject;
  readonly hint?: string | undefined;
  readonly retry?: RetryAdvice;
  /** the code and message of what was behind it */
  readonly reason?: string;
}

export type ToHelper =
  | { readonly type: "call"; readonly id: number; readonly name: CallName; readonly argument: unknown }
  | { readonly type: "abort"; readonly id: number };

export type FromHelper =
  /** it was started, and listens */
  | { readonly type: "ready" }
  | { readonly type: "done"; readonly id: number; readonly value: unknown }
  | { readonly type: "failed"; readonly id: number; readonly error: WireError };
