import { type FileHandle, open } from "node:fs/promises";
import { hostname } from "node:os";
import { errnoOf } from "@keepsake/core";
import { z } from "zod";
import { ownIdentity } from "@keepsake/files/basics";

/**
 * What a lock file holds. Written once, before the file gets its name; the lease is the file's modification time, because
 * that can be changed without a reader ever seeing half of it: the moment it ends, or zero once the lock was released.
 */
const lockFileSchema = z.object({
  token: z.int().positive(),
  nonce: z.string().min(1),
  host: z.string(),
  host_name: z.string(),
  pid: z.int(),
  started_at: z.string(),
  lease_ms: z.number().positive(),
});

/** Who took a lock. */
export type LockHolder = z.output<typeof lockFileSchema>;

/** One acquisition of a lock, as its file says. */
export interface LockFile {
  /** undefined when the file does not say: a power cut took its content */
  readonly holder: LockHolder | undefined;
  /** milliseconds since 1970 */
  readonly leaseEndsAtMs: number;
  readonly isReleased: boolean;
}

/** Some file systems know no time before 1980; no lease ends before this. */
const RELEASED_BEFORE_MS = Date.UTC(2000);

export function newHolder(token: number, nonce: string, leaseMs: number): LockHolder {
  const { host, pid, startedAt } = ownIdentity();
  return { token, nonce, host, host_name: hostname(), pid, started_at: startedAt, lease_ms: leaseMs };
}

/** @returns undefined when there is no such file. @throws the system error */
export async function readLockFile(path: string): Promise<LockFile | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    // Both from the one open file: by now the name may be gone, or another's.
    const holder = parseHolder(await handle.readFile("utf8"));
    const leaseEndsAtMs = (await handle.stat()).mtimeMs;
    return { holder, leaseEndsAtMs, isReleased: leaseEndsAtMs < RELEASED_BEFORE_MS };
  } finally {
    await handle.close();
  }
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    return lockFileSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Sets the end of a lease. Works on the open file, so that it can never touch another acquisition's. */
export async function setLease(handle: FileHandle, endsAtMs: number): Promise<void> {
  await handle.utimes(new Date(), endsAtMs / 1000);
}

/** Ends the lease for good: the lock is free. */
export async function markReleased(handle: FileHandle): Promise<void> {
  await handle.utimes(new Date(), 0);
}
