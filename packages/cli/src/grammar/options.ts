/** `--agent`; required by the grammar where the type says so. */
export interface AgentOption {
  readonly agent: string;
}

/** `--memory <dir>` */
export interface MemoryOption {
  readonly memory?: string;
}

/** `--identity <file>`, repeatable */
export interface IdentityOption {
  readonly identity?: readonly string[];
}

export interface SnapshotOptions extends AgentOption, MemoryOption {
  readonly label?: string;
  readonly redact?: boolean;
  readonly encrypt?: readonly string[];
  readonly requireClean?: boolean;
  readonly allowPartial?: boolean;
  readonly createdBy?: string;
  readonly full?: boolean;
  readonly skipUnchanged?: boolean;
}

export interface ListOptions {
  readonly agent?: string;
  readonly all?: boolean;
}

export interface RefOptions extends AgentOption, IdentityOption {}

export interface VerifyOptions extends IdentityOption {
  readonly deep?: boolean;
  readonly agent?: string;
  readonly bundle?: string;
}

export interface RestoreOptions extends AgentOption, MemoryOption, IdentityOption {
  readonly from?: string;
  readonly only?: readonly string[];
  readonly dryRun?: boolean;
  /** false after `--no-pre-snapshot`; commander's default is true */
  readonly preSnapshot: boolean;
  readonly live?: boolean;
  readonly acceptRedacted?: boolean;
  readonly yes?: boolean;
}

export interface ExportOptions extends RefOptions {
  readonly to: string;
  readonly redact?: boolean;
  readonly requireClean?: boolean;
  readonly encrypt?: readonly string[];
}

export interface ScanOptions extends MemoryOption, IdentityOption {
  readonly agent?: string;
  readonly requireClean?: boolean;
}

export interface ImportOptions extends AgentOption, IdentityOption {
  readonly from: string;
}

export interface DeleteOptions extends AgentOption {
  readonly yes?: boolean;
}

export interface PruneOptions {
  readonly agent?: string;
  readonly all?: boolean;
  readonly keepLast?: number;
  readonly keepWithinDays?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepYearly?: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export interface RecoverOptions {
  readonly agent?: string;
}

export interface SyncOptions {
  readonly with?: string;
  readonly agent?: string;
  readonly deep?: boolean;
  readonly dryRun?: boolean;
}

export interface DoctorOptions extends IdentityOption {
  readonly reindex?: boolean;
}

export interface InitOptions extends MemoryOption {
  readonly agent?: string;
}

export interface KeygenOptions {
  readonly output?: string;
}

export interface PluginCreateOptions {
  readonly dir?: string;
}

export interface PluginTestOptions {
  readonly use?: string;
  readonly only?: string;
  readonly options?: string;
}

/** A command without options of its own. */
export type NoOptions = Readonly<Record<string, never>>;
