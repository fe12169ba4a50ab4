import { closeSync, constants, fchmodSync, fchownSync, futimesSync, openSync, unlinkSync, writeSync } from "node:fs";
import { type FileHandle, link, open, rename, rm, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { abortable, type ByteStream, errnoOf, OneAhead, streamOf } from "@keepsake/core/basics";
import { settable } from "./attributes.js";
import { EarlySync } from "./early-sync.js";
import type { FsPath } from "./fs-path.js";
import { partialNameOf } from "./own-names.js";

/** Makes the names in a directory survive a power cut. Does nothing where the file system has no such call. */
export async function fsyncDirectory(dir: FsPath): Promise<void> {
  const handle = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    if (!SYNC_UNSUPPORTED.has(errnoOf(error) ?? "")) throw error;
  } finally {
    await handle.close();
  }
}

const SYNC_UNSUPPORTED = new Set(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** Writes all of `chunk`: `FileHandle.write` may write less than it was given. */
export async function writeAll(handle: FileHandle, chunk: Uint8Array, position?: number): Promise<void> {
  let offset = 0;
  while (offset < chunk.length) {
    const { bytesWritten } = await handle.write(
      chunk,
      offset,
      chunk.length - offset,
      position === undefined ? null : position + offset,
    );
    if (bytesWritten === 0) throw nothingWritten();
    offset += bytesWritten;
  }
}

/** The same without waiting, at a place of the file. */
export function writeAllNow(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const written = writeSync(file, bytes, done, bytes.length - done, position + done);
    if (written === 0) throw nothingWritten();
    done += written;
  }
}

function nothingWritten(): Error {
  return Object.assign(new Error("EIO: nothing was written"), { code: "EIO", syscall: "write" });
}

/** A user and a group of the system, by number. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** How a file is written. */
export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** exactly these permission bits, whatever the process's umask; default 0o600 */
  readonly mode?: number;
  /** whose the file is; default: the process's user */
  readonly owner?: Owner | undefined;
  /** whether the bytes are on the disk when the write resolves; default true */
  readonly sync?: boolean;
}

/**
 * Creates the file `path` from a stream, which is read while what came of it is written. The file must not exist. On any
 * failure it is removed again.
 *
 * @throws the system error (`EEXIST`, `ENOSPC`, …), what the stream throws, or the signal's reason
 */
export async function writeNewFile(path: FsPath, body: ByteStream, options: WriteOptions = {}): Promise<void> {
  const { signal, mode = 0o600, owner, sync = true } = options;
  signal?.throwIfAborted();
  const handle = await open(path, "wx", 0o600);
  try {
    const early = sync ? new EarlySync(handle) : undefined;
    await writeBody(handle, body, { signal, early });
    await early?.end();
    if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
    // Set last: a change of owner clears setuid, and creation is subject to the umask.
    if (mode !== 0o600) await handle.chmod(mode);
    if (sync) await handle.sync();
    await handle.close();
  } catch (error) {
    await handle.close().catch(() => undefined);
    await unlink(path).catch(() => undefined);
    throw error;
  }
}

/** The next chunk is asked for while one is written: when that fails, nobody waits for one that may never come. */
async function writeBody(
  handle: FileHandle,
  body: ByteStream,
  { signal, early }: { readonly signal: AbortSignal | undefined; readonly early: EarlySync | undefined },
): Promise<void> {
  const failed = new AbortController();
  for await (const chunk of new OneAhead(abortable(body, failed.signal))) {
    try {
      signal?.throwIfAborted();
      await writeAll(handle, chunk);
      early?.wrote(chunk.length);
    } catch (error) {
      failed.abort();
      throw error;
    }
  }
}

/** What a new file is to be, beside its bytes. */
export interface NewFile {
  /** exactly these permission bits, whatever the process's umask; default 0o600 */
  readonly mode?: number;
  /** modification time in milliseconds since 1970; default: now */
  readonly mtimeMs?: number | undefined;
  /** whose the file is; default: the process's user */
  readonly owner?: Owner | undefined;
}

/**
 * Creates the file `path` without waiting: for a few bytes that need not be on the disk yet. The file must not exist. On any
 * failure it is removed again.
 *
 * @throws the system error
 */
export function writeNewFileNow(path: FsPath, bytes: Uint8Array, { mode = 0o600, mtimeMs, owner }: NewFile = {}): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeAllNow(file, bytes, 0);
    if (owner !== undefined) fchownSync(file, owner.uid, owner.gid);
    // After the change of owner, which clears setuid.
    if (mode !== 0o600) fchmodSync(file, mode);
    if (mtimeMs !== undefined) futimesSync(file, settable(mtimeMs), settable(mtimeMs));
  } catch (error) {
    try {
      unlinkSync(path);
    } catch {
      // The first error says more.
    }
    throw error;
  } finally {
    closeSync(file);
  }
}

/**
 * Replaces the file `path` so that a reader sees the old bytes or the new ones, also after a power cut. A symbolic link at
 * `path` is itself replaced. One writer at a time: a crash leaves an unfinished file beside it, which the next call removes,
 * and {@link sweepPartialOf}.
 */
export async function replaceFileDurably(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<void> {
  const partial = partialOf(path);
  await sweepPartialOf(path);
  await writeNewFile(partial, streamOf(bytes), options);
  try {
    await rename(partial, path);
  } catch (error) {
    await unlink(partial).catch(() => undefined);
    throw error;
  }
  await fsyncDirectory(dirname(path));
}

/** Removes what a crash left of {@link replaceFileDurably}, which nobody may be doing to `path` now. */
export async function sweepPartialOf(path: string): Promise<void> {
  await rm(partialOf(path), { force: true });
}

function partialOf(path: string): string {
  return join(dirname(path), partialNameOf(basename(path)));
}

/**
 * Gives the finished file `partial` its final name, without overwriting what may be there.
 *
 * @throws the system error `EEXIST` when `target` exists; `partial` is then left where it is
 */
export async function publishFile(partial: string, target: string): Promise<void> {
  try {
    // link(2) fails on an existing name, which rename(2) would overwrite.
    await link(partial, target);
  } catch (error) {
    if (!LINK_UNSUPPORTED.has(errnoOf(error) ?? "")) throw error;
    await claimAndRename(partial, target);
    await fsyncDirectory(dirname(target));
    return;
  }
  await unlink(partial);
  await fsyncDirectory(dirname(target));
}

const LINK_UNSUPPORTED = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** For file systems without hard links: an exclusively created placeholder reserves the name. */
async function claimAndRename(partial: string, target: string): Promise<void> {
  await (await open(target, "wx", 0o600)).close();
  try {
    await rename(partial, target);
  } catch (error) {
    await unlink(target).catch(() => undefined);
    throw error;
  }
}
