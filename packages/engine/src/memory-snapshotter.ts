import type {
  BundleStore,
  HealthFinding,
  JsonObject,
  Manifest,
  OpOptions,
  PlannedChange,
  RedactionReport,
  SnapshotId,
  SnapshotRecord,
  SourceDiff,
} from "@keepsake/core";

/** How far an operation is; for progress bars. */
export interface Progress {
  readonly phase: string;
  readonly bytesDone: number;
  /** undefined while it is not known */
  readonly bytesTotal?: number | undefined;
}

/** What every operation takes. */
export interface OperationOptions extends OpOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** One agent of one tenant, as text from outside; validated by the operation. */
export interface AgentRequest {
  readonly agent: string;
  /** default "default" */
  readonly tenant?: string | undefined;
}

/** The same, of an operation on the live memory. */
export interface LiveAgentRequest extends AgentRequest {
  /** the memory directory; default: what the configuration says of this agent */
  readonly memory?: string | undefined;
}

/** A snapshot of an agent: an id, a unique prefix of 4 or more characters, `latest`, or `latest~N`. */
export interface SnapshotRefRequest extends AgentRequest {
  readonly ref: string;
  /** files with identities, as `age-keygen` writes them; beside those of the configuration */
  readonly identityFiles?: readonly string[] | undefined;
}

export interface SnapshotRequest extends LiveAgentRequest {
  readonly label?: string | undefined;
  /** default: what the configuration says */
  readonly redact?: boolean | undefined;
  /** redact, and fail when anything could not be looked through; default: what the configuration says */
  readonly requireClean?: boolean | undefined;
  /** encrypt to these; default: what the configuration says */
  readonly recipients?: readonly string[] | undefined;
  /** accept a weaker consistency than the configuration asks for; the manifest then says so */
  readonly allowPartial?: boolean | undefined;
  /** default "keepsake" */
  readonly createdBy?: string | undefined;
  /** read everything, also what seems not to have changed; default: as often as the configuration says */
  readonly full?: boolean | undefined;
  /** take none when nothing has changed since the last; default: what the configuration says */
  readonly skipUnchanged?: boolean | undefined;
}

/** A taken snapshot. `record.complete` is false when something expected is not in it. */
export type SnapshotResult = TakenSnapshot | UnchangedSnapshot;

export interface TakenSnapshot {
  readonly record: SnapshotRecord;
  readonly manifest: Manifest;
  readonly unchanged?: never;
}

/** Nothing has changed since this one was taken, and no other was: only where that was asked for. */
export interface UnchangedSnapshot {
  readonly record: SnapshotRecord;
  readonly unchanged: true;
  /** absent where the memory was not even read; the snapshot is complete then, and warns of nothing */
  readonly manifest?: Manifest;
}

/** Either a snapshot of the store or a bundle file from elsewhere. */
export type BundleSelector =
  | { readonly ref: string; readonly bundleFile?: undefined }
  | { readonly bundleFile: string; readonly ref?: undefined };

export type RestoreRequest = LiveAgentRequest &
  BundleSelector & {
    readonly identityFiles?: readonly string[] | undefined;
    /** report what would be done, and change nothing */
    readonly dryRun?: boolean | undefined;
    /** default: what the configuration says (true) */
    readonly preSnapshot?: boolean | undefined;
    /** write through databases that other processes hold open */
    readonly live?: boolean | undefined;
    /** put a redacted bundle over live memory */
    readonly acceptRedacted?: boolean | undefined;
    /**
     * restore only this: ids of sources, paths or globs relative to the memory directory, paths in the bundle; what none of
     * them selects stays as it is; undefined or empty: everything
     */
    readonly only?: readonly string[] | undefined;
    /** compare the live memory with the snapshot, for the report; default: on a dry run */
    readonly difference?: boolean | undefined;
  };

/** One planned or done change, and whose it is. */
export interface PlanItem extends PlannedChange {
  readonly source: string;
}

export interface RestoreReport {
  readonly agentId: string;
  /** snapshot id of the bundle that was restored */
  readonly from: string;
  /** id of the snapshot that undoes this restore */
  readonly preSnapshot?: string;
  readonly gitResetOid?: string;
  readonly sqliteRestoredDbs: readonly string[];
  readonly stateFilesRestored: readonly string[];
  readonly workersRestarted: boolean;
  readonly dryRun: boolean;
  /** what the restore was limited to */
  readonly only?: readonly string[];
  readonly plan: readonly PlanItem[];
  /** how the snapshot differs from the live memory, by source: "added" is what the restore brings back */
  readonly difference?: readonly DiffSource[];
  readonly notices: readonly string[];
}

export type CheckStatus = "ok" | "failed" | "not_checked";

/** `file_digest`, `manifest`, `manifest_seal`, `content_digest`, `artifacts`, `record`, and with `deep` `restorable`. */
export interface VerifyCheck {
  readonly name: string;
  readonly status: CheckStatus;
  readonly detail?: string;
  /** stable code behind a failure, or behind what kept a check from being made */
  readonly code?: string;
}

export interface VerifyReport {
  /** store key or file path */
  readonly bundle: string;
  /** true when no check failed, the bytes as stored were checked, and a key that was given opened the bundle */
  readonly ok: boolean;
  readonly checks: readonly VerifyCheck[];
  readonly schemaVersions: Readonly<Record<string, number>>;
  readonly ageProtected: boolean;
}

export type VerifyRequest = (
  | (SnapshotRefRequest & {
      /** also unpack it into scratch and make every check that a restore makes there */
      readonly deep?: boolean | undefined;
    })
  | { readonly bundleFile: string; readonly ref?: undefined; readonly agent?: undefined }
) & { readonly identityFiles?: readonly string[] | undefined };

export interface ListRequest {
  /** absent: every agent of every tenant */
  readonly agent?: string | undefined;
  readonly tenant?: string | undefined;
}

/** `unreadable` are keys of records that could not be read, with the reason. */
export interface ListReport {
  readonly snapshots: readonly SnapshotRecord[];
  readonly unreadable: readonly { readonly key: string; readonly code: string; readonly message: string }[];
  /** those of the snapshots whose bundle is not in the store: they cannot be restored from it */
  readonly missing: readonly { readonly id: string; readonly key: string }[];
}

export interface DiffRequest extends AgentRequest {
  readonly from: string;
  readonly to: string;
  readonly identityFiles?: readonly string[] | undefined;
}

/** A source's part of a diff. */
export interface DiffSource extends SourceDiff {
  readonly id: string;
  readonly kind: string;
}

export interface DiffReport {
  readonly a: SnapshotId;
  readonly b: SnapshotId;
  readonly sources: readonly DiffSource[];
}

export interface ExportRequest extends SnapshotRefRequest {
  /** a file, or a folder to put it in under its own name */
  readonly to: string;
  readonly redact?: boolean | undefined;
  /** redact, and fail when anything could not be looked through; default: what the configuration says */
  readonly requireClean?: boolean | undefined;
  /** re-encrypt to these */
  readonly recipients?: readonly string[] | undefined;
}

export interface ExportReport {
  readonly id: string;
  readonly bundle: string;
  readonly sha256File: string;
  readonly sizeBytes: number;
  readonly fileSha256: string;
  /** what a redaction on the way did; never what it found */
  readonly redactions?: RedactionReport;
}

export interface ImportRequest extends AgentRequest {
  readonly bundleFile: string;
  readonly identityFiles?: readonly string[] | undefined;
}

export interface PruneRequest {
  /** absent: every agent */
  readonly agent?: string | undefined;
  readonly tenant?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** overrides the configuration's retention as a whole */
  readonly keep?: RetentionRules | undefined;
}

/**
 * Which snapshots stay. One is kept when any rule keeps it; without any rule all are. `maxAgeDays` takes older ones away
 * from `last`, not from the other rules.
 */
export interface RetentionRules {
  /** the newest N */
  readonly last?: number | undefined;
  /** an upper limit on the age of what `last` keeps */
  readonly maxAgeDays?: number | undefined;
  /** those younger than this */
  readonly withinDays?: number | undefined;
  readonly hourly?: number | undefined;
  readonly daily?: number | undefined;
  readonly weekly?: number | undefined;
  readonly monthly?: number | undefined;
  readonly yearly?: number | undefined;
}

export interface PruneReport {
  readonly kept: readonly string[];
  readonly deleted: readonly string[];
  /** by snapshot id: why it was kept or deleted */
  readonly reasons: Readonly<Record<string, string>>;
}

/** Whose unfinished restores are looked at; without an agent everybody's. */
export interface RecoverRequest {
  readonly agent?: string | undefined;
  readonly tenant?: string | undefined;
}

export interface RecoverReport {
  /** interrupted restores that were finished or undone */
  readonly restores: readonly {
    readonly agentId: string;
    readonly tenant: string;
    readonly operationId: string;
    readonly outcome: "completed" | "rolled_back";
  }[];
  /** staging directories and unfinished uploads that were removed */
  readonly swept: readonly string[];
}

/** One finding of `doctor`. */
export type DoctorFinding = HealthFinding;

export interface DoctorReport {
  readonly ok: boolean;
  readonly findings: readonly DoctorFinding[];
}

export interface DoctorRequest {
  /** rebuild records that are missing, or cannot be read, from their bodies */
  readonly reindex?: boolean | undefined;
  readonly identityFiles?: readonly string[] | undefined;
}

/**
 * What is looked through for secrets: an agent's live memory, one of its snapshots, a folder that is a memory, a bundle file,
 * or one text.
 */
export type ScanRequest = (
  | (LiveAgentRequest & { readonly ref?: string | undefined })
  | { readonly memory: string; readonly tenant?: string | undefined }
  | { readonly bundleFile: string; readonly tenant?: string | undefined }
  | { readonly textFile: string; readonly tenant?: string | undefined }
) & { readonly identityFiles?: readonly string[] | undefined };

/** A secret that was found: where it is, and of what kind. Never what it is. */
export interface ScanFinding {
  /** path in the bundle, or of the text */
  readonly artifact: string;
  readonly rule: string;
  /** what is done with it when a snapshot is redacted */
  readonly mode: "redact" | "block" | "warn";
  /** of a text, from 1; of a file in a history as it is in {@link commit} */
  readonly line?: number;
  /** `table.column` of a database */
  readonly column?: string;
  /** its rowid, as far as it has one */
  readonly row?: string;
  /** of a repository: the newest commit that holds it */
  readonly commit?: string;
  /** a branch or tag that leads to that commit, by its full name; absent: nothing but a reflog does */
  readonly ref?: string;
  /** how it begins, if it is long, and how long it is */
  readonly masked: string;
}

export interface ScanReport {
  readonly findings: readonly ScanFinding[];
  /** what could not be looked through, and why */
  readonly unscanned: readonly { readonly path: string; readonly reason: string }[];
  /** how many artifacts were looked at */
  readonly artifacts: number;
}

/** The policies that are configured, and their rules. */
export interface RulesReport {
  readonly policies: readonly {
    readonly id: string;
    readonly mode: "redact" | "block" | "warn";
    readonly rules: readonly string[];
  }[];
}

/**
 * Everything Keepsake does with snapshots. Every method validates its request, rejects with a KeepsakeError of a stable
 * code, and leaves nothing half-made.
 */
/** A store, and what it is called in the report. */
export interface SyncStore {
  readonly name: string;
  readonly store: BundleStore;
}

export interface SyncRequest {
  readonly stores: readonly [SyncStore, SyncStore];
  /** default: every agent */
  readonly agent?: string | undefined;
  readonly tenant?: string | undefined;
  /** say what would be done, and do nothing */
  readonly dryRun?: boolean | undefined;
  /** read every bundle that both have: a damage that keeps the size is seen in no other way */
  readonly deep?: boolean | undefined;
}

/** What of a snapshot was put right. */
export type RepairedPart = "bundle" | "digest" | "record";

/** One snapshot, and what became of it. */
export interface SyncedSnapshot {
  readonly tenant: string;
  readonly agent: string;
  readonly id: string;
  /** names of stores */
  readonly from: string;
  readonly to: string;
}

export interface SyncReport {
  readonly copied: readonly (SyncedSnapshot & { readonly bytes: number })[];
  /** what was damaged in `to` and is as it is in `from` again */
  readonly repaired: readonly (SyncedSnapshot & { readonly parts: readonly RepairedPart[] })[];
  /** gone from `to`, which had missed that they were deleted in the store it shares copies with */
  readonly deleted: readonly SyncedSnapshot[];
  /** what both have and is not the same, or is damaged and whole nowhere; nothing was changed */
  readonly differing: readonly (SyncedSnapshot & { readonly code: string; readonly message: string })[];
  readonly dryRun: boolean;
}

export interface MemorySnapshotter {
  /** @throws KeepsakeError `E_UNKNOWN_AGENT`, `E_NOTHING_TO_CAPTURE`, `E_SOURCE_CHANGED`, `E_LOCKED`, `E_NO_SPACE`, … */
  snapshot(request: SnapshotRequest, options?: OperationOptions): Promise<SnapshotResult>;
  /** @throws KeepsakeError `E_INTEGRITY`, `E_REDACTED_BUNDLE`, `E_WRONG_AGENT`, `E_LIVE_HOLDER`, `E_LOCKED`, … */
  restore(request: RestoreRequest, options?: OperationOptions): Promise<RestoreReport>;
  /** Newest first; opens no bundle. */
  list(request?: ListRequest, options?: OperationOptions): Promise<ListReport>;
  /** The manifest in its wire form, unknown fields included. */
  show(request: SnapshotRefRequest, options?: OperationOptions): Promise<JsonObject>;
  verify(request: VerifyRequest, options?: OperationOptions): Promise<VerifyReport>;
  diff(request: DiffRequest, options?: OperationOptions): Promise<DiffReport>;
  /** @throws KeepsakeError `E_LAST_SNAPSHOT`, `E_NEWEST_VERIFIED`, `E_NOT_FOUND` */
  delete(request: SnapshotRefRequest, options?: OperationOptions): Promise<{ readonly deleted: string }>;
  export(request: ExportRequest, options?: OperationOptions): Promise<ExportReport>;
  import(request: ImportRequest, options?: OperationOptions): Promise<SnapshotRecord>;
  /** Looks for secrets and changes nothing: what a redaction would find. */
  scan(request: ScanRequest, options?: OperationOptions): Promise<ScanReport>;
  rules(request?: { readonly tenant?: string | undefined }, options?: OperationOptions): Promise<RulesReport>;
  prune(request?: PruneRequest, options?: OperationOptions): Promise<PruneReport>;
  /**
   * Finishes or undoes interrupted restores, and removes what crashes left, for one agent or for all. Where one agent or store
   * fails, the others are seen to all the same.
   *
   * @throws KeepsakeError what failed first; its context has what was done (`restores`, `swept`) and every one of the `failures`
   */
  recover(request?: RecoverRequest, options?: OperationOptions): Promise<RecoverReport>;
  doctor(request?: DoctorRequest, options?: OperationOptions): Promise<DoctorReport>;
  /**
   * Copies what one of two stores lacks and the other has, both ways, with every digest checked; what one has damaged and
   * the other whole is put right. Overwrites nothing else.
   *
   * @throws KeepsakeError what a store fails with; what was copied until then stays, and the next call goes on
   */
  sync(request: SyncRequest, options?: OperationOptions): Promise<SyncReport>;
}
