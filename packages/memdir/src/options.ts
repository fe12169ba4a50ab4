/** What a memory directory source is told. */
export interface MemdirOptions {
  /** its folder in the bundle; default "memory_files" */
  readonly id?: string | undefined;
  /** relative to the agent's memory directory, or absolute; default "." */
  readonly root?: string | undefined;
  /** globs of what is left out, and left alone by a restore; one without a slash means a name in any folder */
  readonly exclude?: readonly string[] | undefined;
  /** globs of what is captured; default: everything */
  readonly include?: readonly string[] | undefined;
  /** larger files are left out, and reported; null: no limit */
  readonly maxFileBytes?: number | null | undefined;
  /** globs of live files that a restore leaves as they are */
  readonly keep?: readonly string[] | undefined;
  /** true: a snapshot is incomplete when the directory is not there; default false */
  readonly required?: boolean | undefined;
}

/** The same with every default filled in. */
export interface ResolvedOptions {
  readonly id: string;
  readonly root: string;
  readonly exclude: readonly string[];
  readonly include: readonly string[] | undefined;
  readonly maxFileBytes: number;
  readonly keep: readonly string[];
  readonly required: boolean;
}

export function resolveOptions(options: MemdirOptions): ResolvedOptions {
  return {
    id: options.id ?? "memory_files",
    root: options.root ?? ".",
    exclude: options.exclude ?? [],
    include: options.include,
    maxFileBytes: options.maxFileBytes ?? Number.POSITIVE_INFINITY,
    keep: options.keep ?? [],
    required: options.required ?? false,
  };
}
