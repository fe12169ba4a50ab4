import type { AgentRef } from "../ids/names.js";
import type { JsonObject } from "../json.js";
import type { ArtifactMeta, Omission } from "../manifest/schema.js";
import type { BundleEntry } from "./bundle-entry.js";
import type { AgentPaths, OpOptions, PathClaim } from "./options.js";
import type { RestoreSelection } from "./restore-selection.js";

/** What a restore is into, and where the source may write before the commit. */
export interface RestoreTarget {
  readonly agent: AgentRef;
  readonly paths: AgentPaths;
  /** Unique name of this restore, `[a-z0-9-]`: part of the names of what is staged and set aside beside the live data. */
  readonly operationId: string;
  /**
   * Makes a private directory (0700) on the file system of `dir`, for staged and set-aside files. The engine notes it in
   * the journal before it exists, and removes it after `finish` or `rollback`, also after a crash. Renames between it and
   * `dir` are atomic.
   *
   * @param dir absolute path of live data, which need not exist yet
   */
  stageBeside(dir: string, options?: OpOptions): Promise<string>;
  /** What the bundle holds of this source (empty in a recovery): its places count among the session's claims. */
  readonly artifacts: readonly ArtifactMeta[];
  /** What the snapshot had seen of this source and not captured: it stays untouched. Empty in a recovery. */
  readonly omitted?: readonly Omission[];
  /** What the other sources look after, now or after the restore. Filled only for a source that takes the remainder. */
  readonly claimed: readonly PathClaim[];
  /** Write through open databases instead of replacing them. */
  readonly live: boolean;
  /** Only this is restored; absent: everything. Given only to a source that declares `restores: "part"`. */
  readonly only?: RestoreSelection;
}

/** One change a restore makes, for people and for the plan. */
export interface PlannedChange {
  readonly action: "create" | "replace" | "delete" | "set_attributes";
  /** relative to the source's root, or the state key */
  readonly path: string;
  readonly detail?: string;
}

/** What `stage` prepared. Plain JSON: it is kept in the journal and used by another process after a crash. */
export interface RestorePlan {
  /** what will change; empty when the live data already is what the bundle holds */
  readonly changes: readonly PlannedChange[];
  /** the source's own notes for commit, rollback and finish: all of the plan that there is after a crash */
  readonly data: JsonObject;
  /** warnings for the user: "2 hooks of the repository were disabled" */
  readonly notices: readonly string[];
}

/**
 * Two phases. `stage` writes beside the live data and checks it, and changes nothing live. `commit` and `rollback` take
 * the plan alone, are idempotent, and work in a new process after a crash at any instant, also half-way through
 * themselves. `finish` drops what is no longer needed after a commit. A session is disposed in every case; disposing
 * removes nothing that a later recovery needs. Directories made by `stageBeside` are removed by the engine.
 */
export interface RestoreSession extends AsyncDisposable {
  /** Places this source looks after in the live memory: those it has now, and those its artifacts will go to. */
  readonly claims: readonly PathClaim[];
  /**
   * True for an artifact whose bytes `stage` will read. Asked before it, where a selection was given, so that no more of the
   * bundle is read than that: the others then come without `file`. Absent: all are needed.
   *
   * @param entry of this source in the bundle; it has no `file` yet
   * @throws KeepsakeError what `stage` would throw because of it
   */
  needs?(entry: BundleEntry): boolean;
  /**
   * Sources that look after places of their own are staged at once; one that takes the remainder, when they have ended.
   *
   * @param entries all artifacts of this source in the bundle; checked: safe paths, and of each file right size and digest
   * @param omitted what the snapshot had seen and not captured: it stays untouched
   * @throws KeepsakeError `E_LIVE_HOLDER`, `E_DATABASE_DAMAGED`, `E_UNSAFE_PATH`, … ; nothing live was changed
   */
  stage(entries: AsyncIterable<BundleEntry>, omitted: readonly Omission[], options?: OpOptions): Promise<RestorePlan>;
  commit(plan: RestorePlan, options?: OpOptions): Promise<void>;
  rollback(plan: RestorePlan, options?: OpOptions): Promise<void>;
  finish(plan: RestorePlan, options?: OpOptions): Promise<void>;
}
