import type { ByteStream } from "../bytes/byte-stream.js";
import type { AgentRef } from "../ids/names.js";
import type { JsonObject } from "../json.js";
import type { GitHead } from "../manifest/schema.js";
import type { ArtifactReader } from "./bundle-entry.js";
import type { AgentPaths, OpOptions, PathClaim, WatchedPlace } from "./options.js";
import type {
  HistoryPlace,
  RedactionOutcome,
  RedactionPolicy,
  StagedArtifact,
  TracedPlace,
} from "./redaction-policy.js";
import type { RestoreSession, RestoreTarget } from "./restore-session.js";
import type { SourceDiff } from "./source-diff.js";

/** What a capture is of, and where the source may write. */
export interface CaptureTarget {
  readonly agent: AgentRef;
  readonly paths: AgentPaths;
  /** A private directory (0700) for this session alone; exists, is empty, and is removed by the engine. */
  readonly scratchDir: string;
  /** True for a snapshot that is to undo a restore: everything is captured byte for byte, and nothing is tidied. */
  readonly exact?: boolean;
  /** What the other sources look after. Filled only for a source whose `takes` is "remainder". */
  readonly claimed: readonly PathClaim[];
  /**
   * What an earlier capture of this source brought, by path: a file that has the same mark now need not be read again. Absent
   * when everything is to be read.
   */
  readonly known?: ReadonlyMap<string, KnownFile>;
}

/** A file that an earlier capture brought. */
export interface KnownFile {
  /** the mark of the entry */
  readonly mark: string;
  readonly sizeBytes: number;
  readonly facts?: JsonObject | undefined;
}

/**
 * Captures one kind of memory, and puts it back.
 *
 * Every method gets complete, validated arguments. `open` and all that the session does change nothing in the live data:
 * no file, no lock and no `-wal` or `-shm` is left that was not there.
 */
export interface ArtifactSource {
  /** Its folder in the bundle, `[a-z0-9_]{1,64}`: "sqlite", "git", "memory_files". Unique in one configuration. */
  readonly id: string;
  /** What it captures; an open set: "sqlite", "git", "memory_file", "vendor/thing". */
  readonly kind: string;
  /** "remainder": it captures what no other source claims, and is opened last. Default "own". */
  readonly takes?: "own" | "remainder";
  /** "opaque": its artifacts are no text, and a redaction without {@link redact} lists them as unscanned. Default "text". */
  readonly content?: "text" | "opaque";
  /** True when a snapshot without anything from it is incomplete. Default false. */
  readonly required?: boolean;
  /** "part": its restore heeds the target's `only`. Default "whole": a restore of a part of it is refused. */
  readonly restores?: "whole" | "part";
  /**
   * "whole": its artifacts name each other, as the objects of a history do. Its own {@link redact} is then given all of them or
   * none, after the other sources', and changes names itself. Default "each".
   */
  readonly redacts?: "each" | "whole";
  /**
   * True when what its {@link redact} adds is for those alone who hold a key, though no secret is in it: a redaction is refused then
   * unless the bundle is encrypted. Default false.
   */
  readonly redactionIsPrivate?: boolean;
  /**
   * Looks for what there is and prepares to capture it.
   *
   * @throws KeepsakeError when nothing at all of this source can be captured; a single bad file is an omission instead
   */
  open(target: CaptureTarget, options?: OpOptions): Promise<CaptureSession>;
  /** Absent: artifacts of this source cannot be restored into live data (`E_UNSUPPORTED`). */
  openRestore?(target: RestoreTarget, options?: OpOptions): Promise<RestoreSession>;
  /** Absent: the engine compares by path, size and digest. */
  diff?(before: ArtifactReader, after: ArtifactReader, options?: OpOptions): Promise<SourceDiff>;
  /**
   * What can be read out of an artifact by who knows its format and cannot be seen in its bytes: the words of an index that
   * keeps only how each differs from the one before. A redaction is proven with it. Nothing is written.
   */
  disclose?(staged: StagedArtifact, options?: OpOptions): ByteStream;
  /** Rewrites staged copies; absent: as text, or unscanned when {@link content} is "opaque". */
  redact?(staged: readonly StagedArtifact[], policy: RedactionPolicy, options?: OpOptions): Promise<RedactionOutcome>;
  /**
   * Tells more of places in a history where {@link redact} showed a policy something: people are told where a secret stands.
   * What is not found is left out; the order is the source's. Absent: such places have no line and no ref.
   */
  trace?(
    staged: readonly StagedArtifact[],
    places: readonly HistoryPlace[],
    options?: OpOptions,
  ): AsyncIterable<TracedPlace>;
}

/**
 * One capture: open → pin what cannot be held → hold → pin what is held → freshen → release → fence → entries → dispose.
 *
 * The engine holds all sessions in a fixed order, pins them, releases all, and only then reads `entries`, so that all
 * sources show one instant: it lies within the hold, and what cannot be held is shown not to have moved from when it was
 * pinned until a look after that instant. Disposing is idempotent and also allowed before `entries`
 * ended; afterwards `entries` fails.
 */
export interface CaptureSession extends AsyncDisposable {
  /** Places this source looks after in this agent's memory; known from `open` on. */
  readonly claims: readonly PathClaim[];
  /**
   * All places on which it depends what is captured, what was looked at and found to be nothing included; known from `open` on.
   * While nothing about any of them changes, and the configuration does not either, a capture brings the same. Absent: that
   * cannot be told, and the memory is captured each time.
   */
  readonly watched?: readonly WatchedPlace[];
  /** Stops writers until the returned handle is disposed (SQLite: `BEGIN IMMEDIATE`).
   *  @param options `timeoutMs`: how long to wait for all writers together; default is the source's own choice
   *  @throws KeepsakeError `E_SOURCE_BUSY` when a writer does not yield in time */
  hold?(options?: OpOptions & { readonly timeoutMs?: number }): Promise<AsyncDisposable>;
  /** Fixes what `entries` will show (SQLite: a read transaction). Returns what the pin guarantees: "held" when the view
   *  stays as it is although writers go on; "fenced" when only an unchanged {@link fence} proves it.
   *  What has no `hold` is pinned before the others are held, and nobody waits for it: it may take its time. */
  pin(options?: OpOptions): Promise<"held" | "fenced">;
  /** A cheap fingerprint of the live data as it is now; the engine compares it across the instant, and after `entries`
   *  again when the pin was "fenced". */
  fence?(options?: OpOptions): Promise<string>;
  /** What {@link fence} would have said of exactly what is pinned; undefined when that kept changing while it was pinned.
   *  A `fence` that says the same later must mean: it was all so at once from when the last `pin` or `freshen` ended until
   *  that `fence` began. Absent: the engine asks `fence` before it calls `pin`. */
  pinnedFence?(): string | undefined;
  /** Called after `pin`, while writers are held: pins anew what moved since. They wait for it, so it must not take much
   *  longer than `withinMs`, nor may a `fence` right after it, and it gives up rather than try.
   *  @returns false when it gave up: then what `pin` had pinned stays, or {@link pinnedFence} is undefined */
  freshen?(options: OpOptions & { readonly withinMs: number }): Promise<boolean>;
  /** Lets go of what is pinned, so that `hold` and `pin` may be called again; what has not moved need not be copied again.
   *  Not called after `entries`. Absent: the engine tries again with a new session. */
  unpin?(options?: OpOptions): Promise<void>;
  /** What was captured. Consumed once. Files hand over their content as {@link FileContent}. */
  entries(options?: OpOptions): AsyncIterable<SourceEntry>;
  /** Facts for the manifest; called after `entries` ended. */
  describe?(): Promise<SourceFacts>;
}

/** Facts a source adds to the manifest. */
export interface SourceFacts {
  /** SQLite `user_version` and the like, by name */
  readonly schemaVersions?: Readonly<Record<string, number>>;
  /** HEAD of the repository, for the manifest's `git` */
  readonly git?: GitHead;
  /** anything else, shown under the source's entry in the manifest */
  readonly facts?: JsonObject;
  /** versions of the libraries and programs that read the data */
  readonly toolVersions?: Readonly<Record<string, string>>;
}

interface EntryBase {
  /** relative to the source's folder in the bundle, a valid artifact path */
  readonly path: string;
  /** "percent": `path` is the escaped form of a name that cannot travel (see `percentEncodePath`) */
  readonly nameEncoding?: "percent";
}

/**
 * A stream; or a finished private file in the session's scratch directory, which the engine takes over as it is: it is not
 * changed after it was yielded, the session may still read it, and may remove its own name of it when disposed; or, of a
 * small file, the bytes themselves, which stay as they are until the next entry is asked for; or that they are still those that
 * the target's `known` has this path and mark of.
 */
export type FileContent =
  | { readonly stream: ByteStream }
  | { readonly file: string }
  | { readonly bytes: Uint8Array }
  | { readonly known: true };

/** A regular file. */
export interface FileEntry extends EntryBase {
  readonly type: "file";
  /** permission bits, 0 to 0o7777 */
  readonly mode: number;
  /** milliseconds since 1970 */
  readonly mtimeMs: number;
  readonly content: FileContent;
  /**
   * What can be told of the file without reading it, and is certain to change whenever its bytes do (identity, size, times to the
   * nanosecond, not just set). Absent where nothing is.
   */
  readonly mark?: string;
  /** overrides the source's kind for this artifact ("sqlite_long_term") */
  readonly kind?: string;
  /** facts of this artifact for the manifest (row counts) */
  readonly facts?: JsonObject;
}

/** A directory; needed only where it is empty or its mode matters. */
export interface DirectoryEntry extends EntryBase {
  readonly type: "directory";
  readonly mode: number;
  readonly mtimeMs: number;
}

/** A symbolic link whose target stays inside the tree. */
export interface SymlinkEntry extends EntryBase {
  readonly type: "symlink";
  /** where it leads; escaped like `path` when {@link nameEncoding} is "percent" */
  readonly target: string;
  readonly mtimeMs: number;
}

/** Seen and not captured. `excluded` and `special_file` leave a snapshot complete; every other reason does not. */
export interface OmittedEntry {
  readonly type: "omitted";
  readonly path: string;
  readonly reason: OmissionReason;
  /** the stable error code behind it */
  readonly code?: string;
  readonly detail?: string;
}

/** Declared or expected, and not there. */
export interface AbsentEntry {
  readonly type: "absent";
  readonly path: string;
  /** true makes the snapshot incomplete */
  readonly required: boolean;
}

/** Why something is not in a bundle. */
export type OmissionReason =
  | "absent"
  | "changing"
  | "damaged"
  | "encrypted"
  | "excluded"
  | "link_outside"
  | "special_file"
  | "too_large"
  | "unreadable"
  | "vanished";

export type SourceEntry = FileEntry | DirectoryEntry | SymlinkEntry | OmittedEntry | AbsentEntry;
