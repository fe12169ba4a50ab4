import type { FsPath, SmallFiles } from "@keepsake/files";

/** What to read, and where a copy may go. */
export interface ReadRequest {
  readonly relative: Buffer;
  readonly absolute: FsPath;
  readonly maxFileBytes: number;
  /** true keeps a line of JSON that had only begun */
  readonly exact: boolean;
  /** takes what is small */
  readonly small: SmallFiles;
  /** a path for a private copy of what is not */
  readonly copy: string;
  readonly signal?: AbortSignal | undefined;
}
