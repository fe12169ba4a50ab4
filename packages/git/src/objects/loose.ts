import { createHash } from "node:crypto";
import { type BigIntStats, closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createInflate, deflateSync, inflateSync } from "node:zlib";
import { type KeptBytes, SmallFiles, writeAll } from "@keepsake/files";
import { type GitObject, MAX_OBJECT_BYTES, parseHeader, withHeader } from "./git-object.js";
import type { HashKind } from "./hash-kind.js";

/** Where a loose object lies below the folder `objects`. */
export function loosePath(oid: string): string {
  return `${oid.slice(0, 2)}/${oid.slice(2)}`;
}

const LOOSE = /^objects\/([0-9a-f]{2})\/([0-9a-f]{38}|[0-9a-f]{62})$/;

/** The id of the loose object that lies at a path below a git directory; undefined for any other path. */
export function looseOid(path: string): string | undefined {
  const found = LOOSE.exec(path);
  return found === null ? undefined : `${found[1] ?? ""}${found[2] ?? ""}`;
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

/** A loose object's file, or its bytes where they were kept without one. */
export type LooseFile = string | KeptBytes;

/** Reads a loose object. @returns undefined when the file is not there or damaged */
export function readLoose(file: LooseFile): GitObject | undefined {
  try {
    return parseLoose(typeof file === "string" ? readFileSync(file) : file.read());
  } catch {
    return undefined;
  }
}

/** The bytes of a loose object's file. */
export function encodeLoose(object: GitObject): Buffer {
  return deflateSync(withHeader(object), { level: 1 });
}

/** A loose object's file that was read. */
export interface ReadLoose {
  readonly stats: BigIntStats;
  /** good until the next is read; undefined when it is too large for that */
  readonly bytes?: Buffer;
}

/** One for all: between reading and keeping nothing waits. */
const buffer = Buffer.allocUnsafeSlow(SmallFiles.maxBytes);

/** Reads a small loose object's file. @throws the system error (`ENOENT`: it was packed meanwhile) */
export function readLooseFile(file: string): ReadLoose {
  const fd = openSync(file, "r");
  try {
    const stats = fstatSync(fd, { bigint: true });
    const size = Number(stats.size);
    if (size > buffer.length) return { stats };
    let length = 0;
    for (let got = -1; got !== 0 && length < size; length += got)
      got = readSync(fd, buffer, length, size - length, length);
    return { stats, bytes: buffer.subarray(0, length) };
  } finally {
    closeSync(fd);
  }
}

/** False for an empty or torn file, which is what a power cut leaves most often. */
export function isIntactLoose(bytes: Buffer, oid: string, kind: HashKind): boolean {
  return hashOfDeflated(bytes, kind) === oid;
}

/**
 * Copies the file of a large loose object and checks, in the same pass, that its content has the id that its name says.
 *
 * @param target must not exist; what was written there is left when the object is damaged
 * @throws the system error when it cannot be read or written
 */
export async function copyLooseChecked(
  source: string,
  target: string,
  oid: string,
  kind: HashKind,
  signal?: AbortSignal,
): Promise<boolean> {
  const handle = await open(source);
  try {
    return await copyLargeChecked(handle.createReadStream({ autoClose: false }), target, oid, kind, signal);
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
