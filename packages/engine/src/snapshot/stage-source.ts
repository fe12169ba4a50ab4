import {
  type ArtifactMeta,
  type ArtifactSource,
  type BundleName,
  errnoOf,
  type FileEntry,
  fromSystemError,
  isAbortError,
  isKeepsakeError,
  KeepsakeError,
  type Omission,
  type OpOptions,
  parseArtifactPath,
  percentDecodePath,
  type SourceEntry,
  type SourceFacts,
  type SourceSummary,
} from "@keepsake/core";
import { TimeSlice } from "@keepsake/files";
import { digestOfLink } from "../bundle/read-archive.js";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";
import { checkEntry } from "./check-entry.js";
import type { PinnedSource } from "./cut.js";
import type { RecalledFile } from "./open-sessions.js";
import type { PrivateStaging } from "./private-staging.js";
import { ContentStager } from "./stage-content.js";

/** What one source brought, staged. */
export interface StagedSource {
  readonly source: ArtifactSource;
  readonly artifacts: StagedArtifactFile[];
  readonly omitted: readonly Omission[];
  readonly summary: SourceSummary;
  readonly facts: SourceFacts;
}

/** How a source is staged. */
export interface StagingOptions extends OpOptions {
  readonly onBytes?: (bytes: number) => void;
  /** told of each file once it is staged */
  readonly onStaged?: ((file: StagedArtifactFile) => void) | undefined;
  /** whether small files need no file of their own: nobody looks at them before they are packed; default false */
  readonly keepsSmall?: boolean;
  /** what an earlier capture of the source brought, by path */
  readonly known?: ReadonlyMap<string, RecalledFile> | undefined;
}

/** Streams every entry of a pinned source into private staging, and hashes it on the way. */
export async function stageSource(
  { source, session }: PinnedSource,
  staging: PrivateStaging,
  options: StagingOptions,
): Promise<StagedSource> {
  const stager = new SourceStager(source, staging, options);
  const slice = new TimeSlice();
  try {
    for await (const entry of session.entries(options)) {
      options.signal?.throwIfAborted();
      checkEntry(entry, source.id);
      await stager.take(entry);
      if (slice.isOver) await slice.next();
    }
  } catch (error) {
    throw stagingError(error, source.id);
  }
  return stager.finish((await session.describe?.()) ?? {});
}

/** What a content stream throws reaches us here alone, past whoever guards the session. */
function stagingError(error: unknown, source: string): unknown {
  const plain = errnoOf(error) === undefined && !isKeepsakeError(error) && !isAbortError(error);
  if (!plain) return fromSystemError(error, `The source ${source} could not be staged`, { source });
  const reason = error instanceof Error ? error.message : String(error);
  return new KeepsakeError("E_PLUGIN_FAILED", `The source ${source} failed while it was staged: ${reason}`, {
    cause: error,
    context: { source },
  });
}

class SourceStager {
  readonly #source: ArtifactSource;
  readonly #content: ContentStager;
  readonly #onBytes: ((bytes: number) => void) | undefined;
  readonly #onStaged: StagingOptions["onStaged"];
  readonly #artifacts: StagedArtifactFile[] = [];
  readonly #omitted: Omission[] = [];
  #absentRequired = false;

  constructor(source: ArtifactSource, staging: PrivateStaging, options: StagingOptions) {
    const { signal, onBytes, onStaged, keepsSmall = false, known } = options;
    this.#source = source;
    this.#content = new ContentStager(staging, source.id, { keepsSmall, known, signal });
    this.#onBytes = onBytes;
    this.#onStaged = onStaged;
  }

  async take(entry: SourceEntry): Promise<void> {
    switch (entry.type) {
      case "absent":
        if (!entry.required) return;
        this.#absentRequired = true;
        this.#omitted.push({ source: this.#source.id, path: entry.path, reason: "absent" });
        return;
      case "omitted": {
        const { type: _type, ...omission } = entry;
        this.#omitted.push({ source: this.#source.id, ...omission });
        return;
      }
      case "file":
        this.#artifacts.push(await this.#takeFile(entry));
        return;
      case "directory":
        this.#add(entry, { type: "directory", mode: entry.mode & 0o7777, mtimeMs: entry.mtimeMs });
        return;
      case "symlink":
        this.#add(entry, { type: "symlink", mode: 0o777, mtimeMs: entry.mtimeMs, linkTarget: entry.target });
        return;
    }
  }

  finish(facts: SourceFacts): StagedSource {
    const source = this.#source;
    const bytes = this.#artifacts.reduce((sum, { meta }) => sum + meta.sizeBytes, 0);
    const required = source.required === true || this.#absentRequired;
    const summary: SourceSummary = {
      id: source.id,
      kind: source.kind,
      status: this.#status(),
      required,
      artifacts: this.#artifacts.length,
      bytes,
      omitted: this.#omitted.length,
      ...(facts.facts === undefined ? {} : { facts: facts.facts }),
    };
    return { source, artifacts: this.#artifacts, omitted: this.#omitted, summary, facts };
  }

  #status(): SourceSummary["status"] {
    if (this.#artifacts.length === 0) return "absent";
    return this.#omitted.some(({ reason }) => reason !== "excluded" && reason !== "special_file")
      ? "partial"
      : "captured";
  }

  // Of so many files each is one literal: what is put together from parts costs V8 a shape, and us a microsecond, for each.
  async #takeFile(entry: FileEntry): Promise<StagedArtifactFile> {
    const { digest, file, kept, recall } = await this.#content.stage(entry);
    const { sizeBytes, sha256 } = digest;
    this.#onBytes?.(sizeBytes);
    const { mode, mtimeMs, facts, mark, kind = this.#source.kind } = entry;
    const [pathInBundle, source] = [this.#pathOf(entry), this.#source.id];
    const plain = {
      pathInBundle,
      kind,
      source,
      type: "file",
      sizeBytes,
      sha256,
      mode: mode & 0o7777,
      mtimeMs,
    } as const;
    const meta: ArtifactMeta = facts === undefined ? plain : { ...plain, facts };
    const staged = { meta: withEncoding(meta, entry), file, kept, recall, mark };
    this.#onStaged?.(staged);
    return staged;
  }

  #add(entry: BundleName, rest: Pick<ArtifactMeta, "type" | "mode" | "mtimeMs" | "linkTarget">): void {
    const { kind, id: source } = this.#source;
    const bytes = { sizeBytes: 0, sha256: digestOfLink(rest) };
    const meta = { pathInBundle: this.#pathOf(entry), kind, source, ...bytes, ...rest };
    this.#artifacts.push({ meta: withEncoding(meta, entry) });
  }

  #pathOf({ path, nameEncoding }: BundleName): ArtifactMeta["pathInBundle"] {
    if (nameEncoding !== undefined) percentDecodePath(path);
    return parseArtifactPath(`${this.#source.id}/${path}`);
  }
}

function withEncoding(meta: ArtifactMeta, { nameEncoding }: BundleName): ArtifactMeta {
  return nameEncoding === undefined ? meta : { ...meta, nameEncoding };
}
