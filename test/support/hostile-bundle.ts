import { writeFile } from "node:fs/promises";
import { sha256Hex, streamOf } from "@keepsake/core";
import { collect } from "@keepsake/testkit";
import { zstd } from "@keepsake/zstd";
import { pack } from "tar-stream";

/** Writes a real compressed bundle with the right `.sha256`: whoever sends it controls both. */
export async function sendBundle(file: string, archive: Uint8Array): Promise<void> {
  await sendBytes(file, await compressed(archive));
}

export async function sendBytes(file: string, bytes: Uint8Array): Promise<void> {
  await writeFile(file, bytes);
  await writeFile(`${file}.sha256`, `${sha256Hex(bytes)}\n`);
}

export function compressed(bytes: Uint8Array): Promise<Uint8Array> {
  return collect(zstd().encode(streamOf(bytes)));
}

/** zstd frames that decode to so many bytes of zeros, and are small: one frame, many times. */
export async function compressedZeros(mebibytes: number): Promise<Uint8Array> {
  const step = 16;
  const frame = await compressed(Buffer.alloc(step << 20));
  return Buffer.concat(Array.from({ length: Math.ceil(mebibytes / step) }, () => frame));
}

/** The header of a tar entry alone; what it promises is up to the caller. */
export async function tarHeader(name: string, size: number): Promise<Uint8Array> {
  const archive = pack();
  archive.entry({ name, size, mode: 0o644, mtime: new Date(0) });
  const chunks: Buffer[] = [];
  archive.on("data", (chunk) => chunks.push(chunk as Buffer));
  // The header comes as soon as anybody listens; the content never will.
  while (chunks.length === 0) await new Promise((resolve) => setImmediate(resolve));
  archive.on("error", () => undefined);
  archive.destroy();
  return Buffer.concat(chunks);
}
