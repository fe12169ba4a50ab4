import type { ArtifactMeta, Omission } from "../manifest/schema.js";

/** One artifact of a bundle, ready to be read; size and digest of its file were checked before. */
export interface BundleEntry {
  readonly meta: ArtifactMeta;
  /** relative to the source's folder */
  readonly path: string;
  /**
   * The unpacked bytes as a private file, which may be read and renamed away by its source; absent for links and folders, and
   * for what a restore session does not need. Where {@link bytes} is there, the file is made when it is first asked for.
   */
  readonly file?: string;
  /** The same bytes of a small file, without one: not to be changed, and good until those of another entry are asked for. */
  readonly bytes?: () => Buffer;
}

/** The artifacts of one source in one bundle. */
export interface ArtifactReader {
  readonly entries: readonly BundleEntry[];
  readonly omitted: readonly Omission[];
}
