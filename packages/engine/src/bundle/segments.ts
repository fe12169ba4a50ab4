import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { KeepsakeError, MANIFEST_ENTRY, type OpOptions } from "@keepsake/core";
import type { StagedArtifactFile } from "./staged-bundle.js";
import { NotAsItWas } from "./taken-over.js";
import { type EntryHeader, headerOf, packEntries, packHeader, paddedBytes, TAR_END } from "./tar-entries.js";

/** A file of more than this stands alone, in bytes. */
const ALONE_BYTES = 256 * 1024;
/** Others are put together to about this much: less, and they compress worse; more, and each change touches more. */
const TOGETHER_BYTES = 1024 * 1024;
/** How often a path ends a run early, so that what is added or removed does not move all that comes behind. One in so many. */
const ENDS_RUN = 256;
/** What an entry counts for beside its bytes: packing it takes time, too. */
const ENTRY_BYTES = 1024;
/** A run is not ended early before it has so much. */
const SHORTEST_RUN_BYTES = 256 * 1024;

/**
 * A piece of the archive of a bundle that depends on nothing else in it: one large file, or a run of small ones. Where it
 * begins and ends follows from the files themselves, so that it is the same in the next snapshot when they are.
 */
export interface Segment {
  /** equal for equal bytes, and for no others; undefined for what is of this snapshot alone */
  readonly key: string | undefined;
  /** true of one large file */
  readonly isLarge: boolean;
  /** all its bytes, in pieces of `pieceBytes`, the last one shorter */
  pieces(options: PieceOptions): AsyncIterable<Buffer>;
}

/** How the bytes of a segment are wanted. */
export interface PieceOptions extends OpOptions {
  readonly pieceBytes: number;
  /** gives a buffer of `pieceBytes` to be filled; default: a new one */
  readonly buffer?: (() => Buffer) | undefined;
}

/**
 * The tar archive of a bundle: the manifest, then the artifacts in the given order (POSIX ustar with pax records where a
 * name needs them; owner 0:0 and no names). Equal input gives equal bytes.
 *
 * The pieces throw KeepsakeError `E_INTERNAL` when a staged file is not as large as its artifact says.
 */
export function* archiveSegments(manifest: Uint8Array, artifacts: readonly StagedArtifactFile[]): Generator<Segment> {
  const header = { name: MANIFEST_ENTRY, mode: 0o644, mtime: new Date(0), size: manifest.length };
  const content = Buffer.from(manifest.buffer, manifest.byteOffset, manifest.length);
  yield { key: undefined, isLarge: false, pieces: (options) => piecesOf(header, readBuffer(content), options) };
  for (const run of runsOf(artifacts)) yield segmentOf(run);
  yield ofBytes(undefined, () => Promise.resolve(TAR_END));
}

/** What lies together in the archive, in its order: one large file, or a run of small ones. */
export function* runsOf(artifacts: readonly StagedArtifactFile[]): Generator<readonly StagedArtifactFile[]> {
  let run: StagedArtifactFile[] = [];
  let bytes = 0;
  for (const artifact of artifacts) {
    if (standsAlone(artifact)) {
      if (run.length > 0) yield run;
      yield [artifact];
      run = [];
      bytes = 0;
      continue;
    }
    run.push(artifact);
    bytes += artifact.meta.sizeBytes + ENTRY_BYTES;
    if (bytes < TOGETHER_BYTES && !(bytes >= SHORTEST_RUN_BYTES && endsRun(artifact.meta.pathInBundle))) continue;
    yield run;
    run = [];
    bytes = 0;
  }
  if (run.length > 0) yield run;
}

/** True of what shares no frames with others. */
export function standsAlone({ meta }: StagedArtifactFile): boolean {
  return meta.sizeBytes > ALONE_BYTES;
}

function endsRun(path: string): boolean {
  return crc32(path) % ENDS_RUN === 0;
}

function segmentOf(run: readonly StagedArtifactFile[]): Segment {
  const [first] = run;
  if (first !== undefined && standsAlone(first)) return ofFile(first);
  return ofBytes(keyOf(run), async () => packEntries(await readRun(run)));
}

/** The segment of a file that stands alone and has its bytes; undefined for all else. */
export function largeSegment(artifact: StagedArtifactFile): Segment | undefined {
  return standsAlone(artifact) && artifact.file !== undefined ? ofFile(artifact) : undefined;
}

function ofFile(artifact: StagedArtifactFile): Segment {
  return { key: keyOf([artifact]), isLarge: true, pieces: (options) => piecesOfFile(artifact, options) };
}

/** All that the bytes of a run follow from. */
function keyOf(run: readonly StagedArtifactFile[]): string {
  const hash = createHash("sha256");
  for (const { meta } of run) {
    const { name, mode, mtime, size, type, linkname } = headerOf(meta);
    hash.update(JSON.stringify([name, mode, mtime.getTime(), size, type, linkname, meta.sha256]));
  }
  return hash.digest("hex");
}

async function readRun(run: readonly StagedArtifactFile[]): Promise<readonly (readonly [EntryHeader, Buffer])[]> {
  const entries: (readonly [EntryHeader, Buffer])[] = [];
  for (const artifact of run) {
    const header = headerOf(artifact.meta);
    const bytes = artifact.recall === undefined ? readStaged(artifact) : await artifact.recall();
    if (bytes.length !== header.size) throw sizeMismatch(header.name);
    entries.push([header, bytes]);
  }
  return entries;
}

function readStaged({ kept, file }: StagedArtifactFile): Buffer {
  return kept?.read() ?? (file === undefined ? Buffer.alloc(0) : readFileSync(file));
}

function ofBytes(key: string | undefined, bytes: () => Promise<Buffer>): Segment {
  return {
    key,
    isLarge: false,
    async *pieces({ pieceBytes }) {
      const all = await bytes();
      for (let at = 0; at < all.length; at += pieceBytes) yield all.subarray(at, at + pieceBytes);
    },
  };
}

async function* piecesOfFile(artifact: StagedArtifactFile, options: PieceOptions): AsyncGenerator<Buffer> {
  if (artifact.file === undefined) throw new NotAsItWas("The earlier bundle lacks what was to be taken over.");
  await using content = await open(artifact.file);
  const read: ReadInto = (into, at) => content.read(into, 0, into.length, at);
  yield* piecesOf(headerOf(artifact.meta), read, options);
}

/** Reads into a buffer what stands at a place. */
type ReadInto = (into: Buffer, at: number) => Promise<{ readonly bytesRead: number }>;

function readBuffer(bytes: Buffer): ReadInto {
  return (into, at) => Promise.resolve({ bytesRead: bytes.copy(into, 0, at) });
}

/** One entry of the archive. */
async function* piecesOf(header: EntryHeader, content: ReadInto, options: PieceOptions): AsyncGenerator<Buffer> {
  const padding = Buffer.alloc(paddedBytes(header.size) - header.size);
  const parts = [readBuffer(await packHeader(header)), content, readBuffer(padding)];
  const { pieceBytes, signal, buffer = () => Buffer.allocUnsafeSlow(pieceBytes) } = options;
  let piece = buffer();
  let filled = 0;
  for (const read of parts) {
    for (let at = 0; ; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await read(piece.subarray(filled), at);
      at += bytesRead;
      filled += bytesRead;
      const isWrong = at > header.size || (bytesRead === 0 && at < header.size);
      if (read === content && isWrong) throw sizeMismatch(header.name);
      if (bytesRead === 0) break;
      if (filled < pieceBytes) continue;
      yield piece;
      piece = buffer();
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

function sizeMismatch(name: string): KeepsakeError {
  return new KeepsakeError("E_INTERNAL", `The staged copy of ${JSON.stringify(name)} changed size.`);
}
