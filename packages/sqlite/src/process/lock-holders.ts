import { lstatSync, readFileSync } from "node:fs";

/** Tells a file from all others. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** A regular file's identity; undefined where there is none. */
export function identityOf(file: string): FileIdentity[] | undefined {
  try {
    const stats = lstatSync(file, { bigint: true });
    return stats.isFile() ? [{ dev: stats.dev, ino: stats.ino }] : undefined;
  } catch {
    return undefined;
  }
}

/** The processes that have a lock on one of these files, as far as the system tells: only Linux does. */
export function* lockHolders(files: readonly FileIdentity[]): Generator<number> {
  // "1: POSIX  ADVISORY  READ 1234 fe:01:56789 128 128": the device's numbers are hexadecimal.
  for (const line of textOf("/proc/locks").split("\n")) {
    const match = /\s(\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /.exec(line);
    if (match === null) continue;
    const [, pid = "", major = "", minor = "", ino = ""] = match;
    const device = deviceNumber(BigInt(`0x${major}`), BigInt(`0x${minor}`));
    if (files.some((file) => file.dev === device && file.ino === BigInt(ino))) yield Number(pid);
  }
}

/** Linux's `makedev(3)`. */
function deviceNumber(major: bigint, minor: bigint): bigint {
  return ((major & 0xfffff000n) << 32n) | ((major & 0xfffn) << 8n) | ((minor & 0xffffff00n) << 12n) | (minor & 0xffn);
}

/** A file of `/proc`; "" where it is not there any more, or closed to us. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
