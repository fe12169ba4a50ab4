import { randomBytes } from "node:crypto";
import { lstat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, sha256Hex } from "@keepsake/core";
import { livenessOf, ownIdentity } from "@keepsake/files/basics";

/** How the name of every file begins that is being written; hidden, and never an object's. */
export const PARTIAL_PREFIX = ".keepsake-partial-";

// Host, pid, start time, random: the host is shortened, two equal ones of 2^48 would have to share a store.
const PARTIAL_NAME = /^\.keepsake-partial-([0-9a-f]{12})-([0-9]+)-([0-9]*)-[0-9a-f]{16}$/;

/** A name for a new unfinished file in `folder`, that says which process writes it. */
export function partialPathIn(folder: string): string {
  const { host, pid, startedAt } = ownIdentity();
  const name = [shortened(host), String(pid), startedAt, randomBytes(8).toString("hex")].join("-");
  return join(folder, `${PARTIAL_PREFIX}${name}`);
}

/**
 * Removes the unfinished file `name` of `folder` unless somebody may still be writing it.
 *
 * @param olderThanMs how long a file of another host must not have been written to
 * @returns true when it was removed by this call
 */
export async function removeIfAbandoned(folder: string, name: string, olderThanMs: number): Promise<boolean> {
  const path = join(folder, name);
  try {
    if (!(await isAbandoned(path, name, olderThanMs))) return false;
    await unlink(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

async function isAbandoned(path: string, name: string, olderThanMs: number): Promise<boolean> {
  const liveness = livenessOfWriter(name);
  if (liveness !== "unknown") return liveness === "dead";
  return Date.now() - (await lstat(path)).mtimeMs > olderThanMs;
}

function livenessOfWriter(name: string): ReturnType<typeof livenessOf> {
  const { host } = ownIdentity();
  const [, writerHost, pid, startedAt] = PARTIAL_NAME.exec(name) ?? [];
  if (writerHost !== shortened(host) || pid === undefined || startedAt === undefined) return "unknown";
  return livenessOf({ host, pid: Number(pid), startedAt });
}

function shortened(host: string): string {
  return sha256Hex(host).slice(0, 12);
}
