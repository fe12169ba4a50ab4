import type {
  AgentPaths,
  AgentRef,
  ArtifactSource,
  BundleStore,
  Codec,
  EventPublisher,
  LockManager,
  RedactionPolicy,
  StateProvider,
} from "@keepsake/core";
import type { RetentionRules } from "./memory-snapshotter.js";

/** "stored": the stored bytes are read back; "restorable": and unpacked into scratch, with every check a restore makes. */
export type VerifyAfter = "none" | "stored" | "restorable";

/** What is looked for, by what is done with what is found. */
export interface RedactionPolicies {
  /** it is replaced */
  readonly policy: RedactionPolicy;
  /** it keeps a snapshot from being taken */
  readonly block?: RedactionPolicy;
  /** it stays, and is told of */
  readonly warn?: RedactionPolicy;
}

/** Everything that belongs to one agent, ready for use. What the runtime makes of the configuration. */
export interface AgentProfile {
  readonly ref: AgentRef;
  readonly paths: AgentPaths;
  /**
   * A digest of all that the configuration says, or something that changes at least as often; absent: a memory is captured each time, whether
   * or not anything seems to have changed
   */
  readonly configuration?: string;
  /** in the order of the configuration; at most one takes the remainder */
  readonly sources: readonly ArtifactSource[];
  readonly state: readonly StateProvider[];
  readonly store: BundleStore;
  readonly redaction: {
    readonly byDefault: boolean;
    /** The same each time; made when they are asked for the first time. @throws KeepsakeError what a plugin failed with */
    readonly policies: () => Promise<RedactionPolicies>;
    /** fail when anything could not be looked through; default false */
    readonly requireClean?: boolean;
  };
  readonly encryption: {
    readonly byDefault: boolean;
    readonly privateLabels: boolean;
    /** whether keys are configured that open what is encrypted, without a passphrase, which costs a second each time; default false */
    readonly hasKeys?: boolean;
  };
  readonly cut: {
    readonly attempts: number;
    readonly holdTimeoutMs: number;
    readonly allow: "instant" | "fenced" | "best_effort";
  };
  readonly lock: { readonly timeoutMs: number };
  /** how far a snapshot is checked once it is stored */
  readonly snapshot: {
    readonly verifyAfter: VerifyAfter;
    /** everything is read and encoded at every so many snapshots, also what seems not to have changed; 1: always */
    readonly fullReadEvery: number;
    /** take none when nothing has changed since the last */
    readonly skipUnchanged: boolean;
  };
  readonly restore: {
    readonly preSnapshot: boolean;
    /** how far the pre-restore snapshot is checked before live data changes */
    readonly verifyAfter: VerifyAfter;
  };
  readonly limits: { readonly maxManifestBytes: number; readonly maxBundleBytes: number };
  readonly retention: RetentionRules;
}

/** How bundles of an agent are written. */
export interface EncodeRequest {
  /** the caller's recipients; undefined: those of the configuration when encryption is on there */
  readonly recipients?: readonly string[] | undefined;
  /** encrypt to the owners of the identities in these files, when there are no other recipients */
  readonly toOwnersOf?: readonly string[] | undefined;
  /** true: encrypt to the configuration's recipients although encryption is not on by default */
  readonly forceEncryption?: boolean | undefined;
}

/** The engine's way to what the configuration and the plugins provide. Implemented by the runtime. */
export interface Workspace {
  /** absolute path; locks, journals and staging lie below it */
  readonly stateRoot: string;
  readonly locks: LockManager;
  readonly publishers: readonly EventPublisher[];
  /** every store that the configuration names, the primary one first */
  readonly stores: readonly BundleStore[];
  /**
   * @param memory overrides the configured memory directory
   * @throws KeepsakeError `E_UNKNOWN_AGENT` when neither says where the memory is
   */
  profile(ref: AgentRef, memory?: string): Promise<AgentProfile>;
  /** The store, limits, lock and retention of an agent, whose memory need not exist or be known. */
  storeOf(ref: AgentRef): Promise<Pick<AgentProfile, "ref" | "store" | "lock" | "limits" | "retention" | "encryption">>;
  /** What looks into an agent's bundles; its memory need not exist or be known. Nothing is captured or restored with it. */
  interpretersOf(ref: AgentRef): Promise<Pick<AgentProfile, "sources" | "redaction">>;
  /** The codecs to write with, in order. @throws KeepsakeError `E_RECIPIENT` */
  encoders(ref: AgentRef, request: EncodeRequest): Promise<readonly Codec[]>;
  /**
   * The codecs to read with, outermost first, for a bundle's file name: "….tar.zst.age" gives age, zstd.
   *
   * @throws KeepsakeError `E_UNSUPPORTED` when no codec has the suffix, `E_IDENTITY` for an identity file that is malformed
   */
  decoders(fileName: string, identityFiles: readonly string[]): Promise<readonly Codec[]>;
}
