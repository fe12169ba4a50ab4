import { closeSync, constants, openSync, readSync } from "node:fs";
import type { FsPath } from "./fs-path.js";

/** True when a file's first bytes are these few, a link not followed. What cannot be read is not the same. It does not wait. */
export function beginsWith(path: FsPath, bytes: Uint8Array): boolean {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = Buffer.allocUnsafe(bytes.length);
      for (let at = 0; at < found.length; ) {
        const got = readSync(file, found, at, found.length - at, at);
        if (got === 0) return false;
        at += got;
      }
      return found.equals(bytes);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof Error && "syscall" in error) return false;
    throw error;
  }
}
