import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { open, readFile, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createInflate, deflateSync, inflateSync } from "node:zlib";
import { writeAll } from "@keepsake/files";
import { type GitObject, MAX_OBJECT_BYTES, parseHeader, withHeader } from "./git-object.js";
import type { HashKind } from "./hash-kind.js";

/** Files up to this size are checked in one piece, in bytes. */
const IN_ONE_PIECE = 1024 * 1024;

/** Where a loose object lies below the folder `objects`. */
export function loosePath(oid: string): string {
  return `${oid.slice(0, 2)}/${oid.slice(2)}`;
}

/** Unpacks a loose object's file. @returns undefined when it is damaged */
export function parseLoose(bytes: Buffer): GitObject | undefined {
  try {
    const whole = inflateSync(bytes, { maxOutputLength: MAX_OBJECT_BYTES });
    const header = parseHeader(whole);
    if (header === undefined) return undefined;
    const data = whole.subarray(header.bodyAt);
    return data.length === header.size ? { type: header.type, data } : undefined;
  } catch {
    return undefined;
  }
}

/** Reads a loose object. @returns undefined when the file is not there or damaged */
export function readLoose(file: string): GitObject | undefined {
  try {
    return parseLoose(readFileSync(file));
  } catch {
    return undefined;
  }
}

/** The bytes of a loose object's file. */
export function encodeLoose(object: GitObject): Buffer {
  return deflateSync(withHeader(object), { level: 1 });
}

/**
 * Copies a loose object's file and checks, in the same pass, that its content has the id that its name says: an empty or
 * torn object file is what a power cut leaves most often.
 *
 * @param target must not exist; what was written there is left when the object is damaged
 * @returns whether it is intact, and its modification time in milliseconds since 1970
 * @throws the system error when it cannot be read (`ENOENT`: it was packed meanwhile) or written
 */
export async function copyLooseChecked(
  source: string,
  target: string,
  oid: string,
  kind: HashKind,
  signal?: AbortSignal,
): Promise<{ readonly intact: boolean; readonly mtimeMs: number }> {
  const handle = await open(source);
  try {
    const { size, mtimeMs } = await handle.stat();
    if (size > IN_ONE_PIECE) {
      const stream = handle.createReadStream({ autoClose: false });
      return { intact: await copyLargeChecked(stream, target, oid, kind, signal), mtimeMs };
    }
    const bytes = await readFile(handle);
    await writeFile(target, bytes, { flag: "wx", mode: 0o444 });
    return { intact: hashOfDeflated(bytes, kind) === oid, mtimeMs };
  } finally {
    await handle.close();
  }
}

function hashOfDeflated(bytes: Buffer, kind: HashKind): string | undefined {
  try {
    return createHash(kind.algorithm)
      .update(inflateSync(bytes, { maxOutputLength: MAX_OBJECT_BYTES }))
      .digest("hex");
  } catch {
    return undefined;
  }
}

async function copyLargeChecked(
  source: AsyncIterable<Buffer>,
  target: string,
  oid: string,
  kind: HashKind,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const output = await open(target, "wx", 0o444);
  const hash = createHash(kind.algorithm);
  const copied = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      signal?.throwIfAborted();
      await writeAll(output, chunk);
      yield chunk;
    }
  };
  try {
    await pipeline(copied, createInflate(), hash);
    return hash.digest("hex") === oid;
  } catch (error) {
    if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_")) return false;
    throw error;
  } finally {
    await output.close();
  }
}
