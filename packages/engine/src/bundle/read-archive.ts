import { Readable } from "node:stream";
import {
  type ArtifactMeta,
  type ByteStream,
  collectBytes,
  HashedStream,
  isAbortError,
  isKeepsakeError,
  KeepsakeError,
  MANIFEST_ENTRY,
  type ParsedManifest,
  parseArtifactPath,
  parseManifest,
  sha256Hex,
} from "@keepsake/core";
import { type Extract, extract, type Header } from "tar-stream";
import { ArchiveEnd } from "./archive-end.js";

/** Takes what an archive holds, in its order. */
export interface ArchiveSink {
  /** Called first, before any artifact is looked at; may throw to stop. */
  manifest?(parsed: ParsedManifest): void | Promise<void>;
  /** Must consume `content`. Size and digest are checked while it is consumed, and judged after it returns. */
  file?(meta: ArtifactMeta, content: ByteStream): Promise<void>;
}

/** How an archive is read. */
export interface ReadArchiveOptions {
  readonly maxManifestBytes: number;
  /** stop after the manifest, reading no further */
  readonly manifestOnly?: boolean;
  /** The archive is a part of one whose manifest was read before: it holds no other entries than these. */
  readonly part?: ArchivePart;
  readonly signal?: AbortSignal | undefined;
}

/** Entries taken out of an archive. */
export interface ArchivePart {
  /** of the whole archive */
  readonly parsed: ParsedManifest;
  /** paths of all artifacts that the part holds */
  readonly wanted: ReadonlySet<string>;
}

/**
 * Reads the decoded bytes of a bundle, and refuses all that bundle-format lists: it trusts nothing in them.
 *
 * @returns the manifest; its seal is not judged here
 * @throws KeepsakeError `E_MANIFEST`, `E_FORMAT_TOO_NEW`, `E_UNSAFE_PATH`, `E_INTEGRITY`, `E_TRUNCATED`,
 *   `E_TRAILING_DATA`, `E_LIMIT`; what the stream and the sink throw
 */
export async function readArchive(
  decoded: ByteStream,
  sink: ArchiveSink,
  options: ReadArchiveOptions,
): Promise<ParsedManifest> {
  const end = new ArchiveEnd(decoded);
  const archive = extract();
  const feed = Readable.from(end, { objectMode: false, highWaterMark: 256 * 1024 });
  let feedError: unknown;
  feed.on("error", (error) => {
    feedError = error;
    archive.destroy(error);
  });
  try {
    const reader = new ArchiveReader(end, sink, options);
    feed.pipe(archive);
    for await (const entry of archive as AsyncIterable<unknown>) {
      options.signal?.throwIfAborted();
      if (await reader.take(entry as Entry)) return reader.parsed;
    }
    end.check();
    return reader.finish();
  } catch (error) {
    throw asArchiveError(feedError ?? error);
  } finally {
    await close(feed, archive);
  }
}

async function close(feed: Readable, archive: Extract): Promise<void> {
  archive.on("error", () => undefined);
  archive.destroy();
  if (feed.closed) return;
  const closed = new Promise((resolve) => feed.once("close", resolve));
  feed.destroy();
  await closed;
}

function asArchiveError(error: unknown): unknown {
  if (isKeepsakeError(error) || isAbortError(error) || !(error instanceof Error) || "syscall" in error) return error;
  if (error.message === "Unexpected end of data") {
    return new KeepsakeError("E_TRUNCATED", "The archive ends in the middle of an entry.", { cause: error });
  }
  if (TAR_COMPLAINTS.test(error.message)) {
    return new KeepsakeError("E_INTEGRITY", "The archive is malformed.", { cause: error });
  }
  return error;
}

/** What tar-stream says of a header it cannot read. */
const TAR_COMPLAINTS = /Invalid tar header|Invalid header|Header exceeds max size|Invalid keyword|premature close/i;

/** An entry as tar-stream gives it; `byteOffset` is where its content begins in the archive. */
interface Entry extends AsyncIterable<Uint8Array> {
  readonly header: Header & { readonly byteOffset?: number };
  resume(): unknown;
}

class ArchiveReader {
  readonly #end: ArchiveEnd;
  readonly #sink: ArchiveSink;
  readonly #options: ReadArchiveOptions;
  #parsed: ParsedManifest | undefined;
  readonly #pending = new Map<string, ArtifactMeta>();
  readonly #folders = new Set<string>();

  constructor(end: ArchiveEnd, sink: ArchiveSink, options: ReadArchiveOptions) {
    this.#end = end;
    this.#sink = sink;
    this.#options = options;
    const { part } = options;
    if (part === undefined) return;
    this.#parsed = part.parsed;
    this.#declare(part.parsed.manifest.artifacts.filter(({ pathInBundle }) => part.wanted.has(pathInBundle)));
  }

  get parsed(): ParsedManifest {
    if (this.#parsed === undefined) throw new KeepsakeError("E_MANIFEST", "The bundle is empty: it has no manifest.");
    return this.#parsed;
  }

  /** @returns true when nothing more is wanted */
  async take(entry: Entry): Promise<boolean> {
    const { header } = entry;
    const size = header.type === "directory" ? 0 : header.size;
    // The type says linkname is text; for most entries it is null.
    const linkname = (header.linkname as string | null) ?? "";
    const extended = (header.pax ?? undefined) !== undefined || header.name.length > 100 || linkname.length > 100;
    this.#end.note({ offset: header.byteOffset ?? 0, size, extended });
    if (this.#parsed === undefined) {
      await this.#takeManifest(entry, size);
      return this.#options.manifestOnly === true;
    }
    await this.#takeArtifact(entry, header, size);
    return false;
  }

  /** @throws KeepsakeError `E_MANIFEST` when something that the manifest declares did not come */
  finish(): ParsedManifest {
    const { value: missing } = this.#pending.keys().next();
    const parsed = this.parsed;
    if (missing === undefined) return parsed;
    throw new KeepsakeError("E_MANIFEST", `The manifest declares ${JSON.stringify(missing)}, which the bundle lacks.`, {
      context: { path: missing, missing: this.#pending.size },
    });
  }

  async #takeManifest(entry: Entry, size: number): Promise<void> {
    if (entry.header.name !== MANIFEST_ENTRY || entry.header.type !== "file") {
      throw new KeepsakeError("E_MANIFEST", "The bundle does not begin with its manifest.");
    }
    const { maxManifestBytes } = this.#options;
    if (size > maxManifestBytes) {
      throw new KeepsakeError(
        "E_LIMIT",
        `The manifest has ${String(size)} bytes; ${String(maxManifestBytes)} are allowed.`,
        {
          context: { max_bytes: maxManifestBytes },
        },
      );
    }
    this.#parsed = parseManifest(await collectBytes(entry, maxManifestBytes));
    this.#declare(this.#parsed.manifest.artifacts);
    await this.#sink.manifest?.(this.#parsed);
  }

  #declare(artifacts: readonly ArtifactMeta[]): void {
    for (const artifact of artifacts) {
      checkSource(artifact);
      this.#pending.set(artifact.pathInBundle, artifact);
      for (const folder of foldersOf(artifact.pathInBundle)) this.#folders.add(folder);
    }
  }

  async #takeArtifact(entry: Entry, header: Header, size: number): Promise<void> {
    const isFolder = header.type === "directory";
    const path = parseArtifactPath(isFolder ? header.name.replace(/\/$/, "") : header.name);
    const meta = this.#pending.get(path);
    if (meta === undefined) {
      // Archives made by hand name the folders on the way; those need no declaration.
      if (isFolder && this.#folders.has(path)) {
        entry.resume();
        return;
      }
      throw new KeepsakeError(
        "E_MANIFEST",
        `The bundle holds ${JSON.stringify(path)}, which its manifest does not declare.`,
        {
          context: { path },
        },
      );
    }
    this.#pending.delete(path);
    if (header.type !== meta.type) throw unexpectedType(path, header.type);
    if (meta.type === "symlink" && header.linkname !== meta.linkTarget) throw differs(path, "link target");
    if (meta.type !== "file") {
      if (meta.sha256 !== digestOfLink(meta)) throw differs(path, "digest");
      entry.resume();
      return;
    }
    if (size !== meta.sizeBytes) throw differs(path, "size");
    await this.#takeFile(entry, meta);
  }

  async #takeFile(entry: Entry, meta: ArtifactMeta): Promise<void> {
    const content = new HashedStream(entry);
    if (this.#sink.file === undefined) for await (const _chunk of content);
    else await this.#sink.file(meta, content);
    const { sizeBytes, sha256 } = content.digest;
    if (sizeBytes !== meta.sizeBytes) throw differs(meta.pathInBundle, "size");
    if (sha256 !== meta.sha256) throw differs(meta.pathInBundle, "digest");
  }
}

/** The digest of what has no bytes: of a link its target's text, of a folder nothing. */
export function digestOfLink(meta: Pick<ArtifactMeta, "type" | "linkTarget">): string {
  return sha256Hex(meta.type === "symlink" ? (meta.linkTarget ?? "") : "");
}

function checkSource(artifact: ArtifactMeta): void {
  if (artifact.pathInBundle.startsWith(`${artifact.source}/`)) return;
  throw new KeepsakeError("E_MANIFEST", `${JSON.stringify(artifact.pathInBundle)} lies outside its source's folder.`, {
    context: { path: artifact.pathInBundle },
  });
}

function* foldersOf(path: string): Generator<string> {
  for (let cut = path.indexOf("/"); cut >= 0; cut = path.indexOf("/", cut + 1)) yield path.slice(0, cut);
}

function differs(path: string, what: string): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", `The ${what} of ${JSON.stringify(path)} is not what the manifest declares.`, {
    context: { path },
  });
}

function unexpectedType(path: string, type: string): KeepsakeError {
  const code = ["file", "symlink", "directory"].includes(type) ? "E_INTEGRITY" : "E_UNSAFE_PATH";
  return new KeepsakeError(code, `${JSON.stringify(path)} is a ${type}, which the manifest does not declare.`, {
    context: { path, type },
  });
}
