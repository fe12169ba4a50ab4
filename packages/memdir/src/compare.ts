import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, readlink } from "node:fs/promises";
import { beginsWith, type FsPath } from "@keepsake/files";
import type { Desired } from "./desired-tree.js";
import type { LiveNode } from "./live-tree.js";

/** True when a live file or link already holds what the bundle wants there; its attributes may differ. */
export async function holdsSame(live: LiveNode, desired: Desired, signal?: AbortSignal): Promise<boolean> {
  if (live.type !== desired.type) return false;
  if (live.type === "symlink") {
    const target = await readlink(live.absolute, { encoding: "buffer" }).catch(() => undefined);
    return desired.target !== undefined && target?.equals(desired.target) === true;
  }
  // A line that had only begun is in no snapshot; a file that differs by it alone loses nothing and is left as it is.
  const { size } = live.stats;
  if (size !== desired.sizeBytes && size !== desired.sizeBytes + desired.cutBytes) return false;
  const bytes = desired.entry?.bytes?.();
  if (bytes !== undefined) return beginsWith(live.absolute, bytes);
  return (await hashOf(live.absolute, desired.sizeBytes, signal)) === desired.sha256;
}

/** SHA-256 of a file's first bytes, a link not followed; undefined when it cannot be read. */
async function hashOf(path: FsPath, sizeBytes: number, signal: AbortSignal | undefined): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch(() => undefined);
  if (handle === undefined) return undefined;
  const hash = createHash("sha256");
  try {
    const buffer = Buffer.allocUnsafe(256 * 1024);
    for (let left = sizeBytes; ; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, Math.min(left, buffer.length));
      if (bytesRead === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
  } catch (error) {
    signal?.throwIfAborted();
    // Unreadable is not the same; the bundle's file takes its place.
    if (error instanceof Error && "syscall" in error) return undefined;
    throw error;
  } finally {
    await handle.close();
  }
}
