import { readFileSync } from "node:fs";
import type { FsPath } from "@keepsake/files";

/**
 * The files of a git directory by their path in it ("refs/heads/main"), and where each one's bytes are: in the live
 * repository, in a copy, or in the private files of an unpacked bundle. Objects are not among them.
 */
export type FileMap = ReadonlyMap<string, FsPath>;

/** @returns undefined when there is no such file */
export function readGitFile(files: FileMap, path: string): Buffer | undefined {
  const file = files.get(path);
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

export function readGitText(files: FileMap, path: string): string | undefined {
  return readGitFile(files, path)?.toString("utf8");
}
