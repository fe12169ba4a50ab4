import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Makes a file whose being there says something, so that it survives a power cut. */
export function mark(file: string): void {
  const fd = openSync(file, "w", 0o600);
  try {
    writeSync(fd, "begun\n");
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  fsyncPath(dirname(file), "r");
}

/** Removes marks, durably. */
export function unmark(...files: readonly string[]): void {
  for (const file of files) rmSync(file, { force: true });
  for (const folder of new Set(files.map((file) => dirname(file)))) fsyncPath(folder, "r");
}

/** Makes a file, or the names in a folder, survive a power cut. */
export function fsyncPath(path: string, flags: "r" | "r+"): void {
  const fd = openSync(path, flags);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
