import { once } from "node:events";
import type { ArtifactMeta } from "@keepsake/core";
import { extract, type Header, pack } from "tar-stream";

/** Archives are made of blocks of this size (POSIX.1-2017, pax, "ustar Interchange Format"), in bytes. */
const TAR_BLOCK = 512;
/** Two blocks of zeros end an archive. */
export const TAR_END = Buffer.alloc(2 * TAR_BLOCK);

/** How much room so much content takes up. */
export function paddedBytes(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

/** What this program says of an entry; tar-stream adds owner 0:0 and no names. */
export type EntryHeader = Pick<Header, "name" | "mode" | "mtime" | "size"> & Partial<Pick<Header, "type" | "linkname">>;

export function headerOf({
  pathInBundle: name,
  mode,
  mtimeMs,
  type,
  sizeBytes,
  linkTarget = "",
}: ArtifactMeta): EntryHeader {
  const mtime = wholeSeconds(mtimeMs);
  switch (type) {
    case "file":
      return { name, mode, mtime, type, size: sizeBytes };
    case "directory":
      return { name: `${name}/`, mode, mtime, type, size: 0 };
    case "symlink":
      return { name, mode, mtime, type, linkname: linkTarget, size: 0 };
  }
}

/** ustar holds whole seconds from 1970 on; the exact time is in the manifest. */
function wholeSeconds(mtimeMs: number): Date {
  // tar-stream turns the number 0 into the present time; a Date of 0 stays.
  return new Date(Math.max(0, Math.floor(mtimeMs / 1000)) * 1000);
}

/** Whole entries as they stand in an archive, without its end. The bytes are as many as each header says. */
export async function packEntries(entries: Iterable<readonly [EntryHeader, Buffer]>): Promise<Buffer> {
  const archive = pack();
  for (const [header, bytes] of entries) {
    // It completes the header object that it is given: it gets one of its own. An empty file without bytes would be waited for.
    if (header.type === "directory" || header.type === "symlink") archive.entry({ ...header });
    else archive.entry({ ...header }, bytes);
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const packed = Buffer.concat(chunks);
  return packed.subarray(0, packed.length - TAR_END.length);
}

/** The files of an archive, or of a piece of one that ends with an entry, by name. @throws Error when it is malformed */
export async function unpackEntries(archive: Uint8Array): Promise<ReadonlyMap<string, Buffer>> {
  const entries = new Map<string, Buffer>();
  const unpacking = extract();
  unpacking.end(archive);
  for await (const entry of unpacking as AsyncIterable<AsyncIterable<Uint8Array> & { readonly header: Header }>) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk);
    entries.set(entry.header.name, Buffer.concat(chunks));
  }
  return entries;
}

/** The longest name or link target that ustar holds without more, in bytes. */
const PLAIN_NAME_BYTES = 100;

/** How many bytes stand before the content of an entry. */
export function headerBytes(header: EntryHeader): number | Promise<number> {
  const { name, linkname = "" } = header;
  const isPlain = name.length <= PLAIN_NAME_BYTES && /^[\x20-\x7e]*$/.test(name);
  return isPlain && Buffer.byteLength(linkname) <= PLAIN_NAME_BYTES ? TAR_BLOCK : packedHeaderBytes(header);
}

async function packedHeaderBytes(header: EntryHeader): Promise<number> {
  return (await packEntries([[{ ...header, size: 0 }, Buffer.alloc(0)]])).length;
}

/** What stands before the content of an entry: its header, and what extends it. */
export async function packHeader(header: EntryHeader): Promise<Buffer> {
  const archive = pack();
  const parts: Uint8Array[] = [];
  const entry: unknown = archive.entry({ ...header });
  // The content never comes.
  (entry as NodeJS.WritableStream).on("error", () => undefined);
  await once(archive, "readable");
  for (let part = archive.read() as Uint8Array | null; part !== null; part = archive.read() as Uint8Array | null)
    parts.push(part);
  archive.destroy();
  return Buffer.concat(parts);
}
