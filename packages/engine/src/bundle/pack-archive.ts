import type { ByteStream } from "@keepsake/core";
import { KeepsakeError, MANIFEST_ENTRY } from "@keepsake/core";
import { type Header, type Pack, pack } from "tar-stream";
import { contentOf, type StagedArtifactFile } from "./staged-bundle.js";

/**
 * The tar archive of a bundle: the manifest, then the artifacts in the given order (POSIX ustar with pax records where a
 * name needs them; owner 0:0 and no names). Equal input gives equal bytes.
 *
 * @throws KeepsakeError (from the iteration) `E_INTERNAL` when a staged file is not as large as its artifact says
 */
export async function* packArchive(
  manifest: Uint8Array,
  artifacts: readonly StagedArtifactFile[],
  signal?: AbortSignal,
): ByteStream & AsyncGenerator<Uint8Array> {
  const archive = pack();
  const feeding = feed(archive, manifest, artifacts, signal).catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    yield* archive as AsyncIterable<Uint8Array>;
  } finally {
    archive.destroy();
    await feeding;
  }
}

async function feed(
  archive: Pack,
  manifest: Uint8Array,
  artifacts: readonly StagedArtifactFile[],
  signal: AbortSignal | undefined,
): Promise<void> {
  // tar-stream turns the number 0 into the present time; a Date of 0 stays.
  const header = { name: MANIFEST_ENTRY, mode: 0o644, mtime: new Date(0), size: manifest.length };
  await addEntry(archive, header, [Buffer.from(manifest)]);
  for (const artifact of artifacts) {
    signal?.throwIfAborted();
    await addEntry(archive, headerOf(artifact), contentOf(artifact) ?? []);
  }
  archive.finalize();
}

/** What this program says of an entry; tar-stream adds owner 0:0 and no names. */
type EntryHeader = Pick<Header, "name" | "mode" | "mtime" | "size"> & Partial<Pick<Header, "type" | "linkname">>;

function headerOf({ meta }: StagedArtifactFile): EntryHeader {
  const base = { name: meta.pathInBundle, mode: meta.mode, mtime: wholeSeconds(meta.mtimeMs) };
  switch (meta.type) {
    case "file":
      return { ...base, type: "file", size: meta.sizeBytes };
    case "directory":
      return { ...base, name: `${base.name}/`, type: "directory", size: 0 };
    case "symlink":
      return { ...base, type: "symlink", linkname: meta.linkTarget ?? "", size: 0 };
  }
}

/** ustar holds whole seconds from 1970 on; the exact time is in the manifest. */
function wholeSeconds(mtimeMs: number): Date {
  return new Date(Math.max(0, Math.floor(mtimeMs / 1000)) * 1000);
}

async function addEntry(
  archive: Pack,
  header: EntryHeader,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const done = new Promise<void>((resolve, reject) => {
    // tar-stream completes the header object it is given: it gets one of its own.
    const sink: unknown = archive.entry({ ...header }, (error) => {
      if (error) reject(error);
      else resolve();
    });
    const entry = sink as NodeJS.WritableStream;
    entry.once("error", reject);
    if (header.size === 0) entry.end();
    else void pump(content, entry, header).catch(reject);
  });
  await done;
}

async function pump(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  entry: NodeJS.WritableStream,
  header: EntryHeader,
): Promise<void> {
  let written = 0;
  for await (const chunk of content) {
    written += chunk.length;
    if (written > header.size) throw sizeMismatch(header.name);
    if (!entry.write(chunk)) await drained(entry);
  }
  if (written !== header.size) throw sizeMismatch(header.name);
  entry.end();
}

function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => () => {
      stream.removeListener("drain", onDrain);
      stream.removeListener("close", onClose);
      act();
    };
    const onDrain = settle(resolve);
    const onClose = settle(() => {
      reject(new KeepsakeError("E_IO", "The archive was closed while it was written."));
    });
    stream.once("drain", onDrain);
    stream.once("close", onClose);
  });
}

function sizeMismatch(name: string): KeepsakeError {
  return new KeepsakeError("E_INTERNAL", `The staged copy of ${JSON.stringify(name)} changed size.`);
}
