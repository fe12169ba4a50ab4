import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync } from "node:fs";
import { chmod, lstat, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { eachAtOnce, KeepsakeError } from "@keepsake/core";
import {
  type Attributes,
  type FsPath,
  fsyncDirectory,
  type Owner,
  placeEntry,
  setTimeSync,
  syncAtOnce,
  writeNewFile,
} from "@keepsake/files";
import type { Desired } from "./desired-tree.js";

/** Two folders of one private place: what comes, and what is set aside. */
export interface StagingArea {
  readonly incoming: string;
  readonly undo: string;
}

export async function makeArea(place: string): Promise<StagingArea> {
  const area = { incoming: join(place, "new"), undo: join(place, "old") };
  for (const dir of [area.incoming, area.undo]) await mkdir(dir, { recursive: true, mode: 0o700 });
  return area;
}

/** True where "a" and "A" name one file. Leaves a probe in the private folder. */
export async function ignoresCase(area: StagingArea): Promise<boolean> {
  await writeNewFile(join(area.incoming, "case-probe"), nothing(), { sync: false });
  const stats = await lstat(join(area.incoming, "CASE-PROBE")).catch(() => undefined);
  return stats !== undefined;
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty file.
}

/** Makes the file or link that the bundle wants at `at`, as it is to be; the disk may not have it yet: {@link syncStaged}. */
export async function stageOne(
  { type, attributes, entry, path, target }: Desired,
  at: FsPath,
  owner: Owner | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const { mode = PRIVATE, mtimeMs } = attributes ?? {};
  if (type === "symlink") {
    symlinkSync(target ?? "", at);
    if (owner !== undefined) lchownSync(at, owner.uid, owner.gid);
    if (mtimeMs !== undefined) setTimeSync(at, mtimeMs);
    return;
  }
  if (entry === undefined || !(await placeEntry(entry, at, { mode, mtimeMs, owner, signal })))
    throw new KeepsakeError("E_INTERNAL", `The bytes of ${JSON.stringify(path)} were not unpacked.`);
}

/** Makes the folder that the bundle wants, open for who fills it: {@link settleFolder} gives it its attributes. */
export function stageFolder(at: FsPath): void {
  mkdirSync(at, { mode: 0o700 });
}

/** Gives a staged folder that is filled its owner, mode and time. It stays open for its owner, who must be able to move it. */
export function settleFolder(at: FsPath, to: Attributes, owner: Owner | undefined): void {
  if (owner !== undefined) chownSync(at, owner.uid, owner.gid);
  chmodSync(at, to.mode | 0o700);
  setTimeSync(at, to.mtimeMs);
}

/** A file that was staged, and what it is to be. */
export interface StagedFile {
  readonly wanted: Desired;
  readonly at: FsPath;
}

/** A mode with which a file can be opened by its owner, and by nobody else. */
const PRIVATE = 0o600;

/**
 * Makes what was staged survive a power cut.
 *
 * @param folders those that were staged with what is in them
 * @param areas the folders that all of it is in
 */
export async function syncStaged(
  files: readonly StagedFile[],
  folders: readonly FsPath[],
  areas: Iterable<string>,
): Promise<void> {
  if (await syncAtOnce(files.length + folders.length, areas)) return;
  await eachAtOnce(files, syncFile);
  await eachAtOnce(folders, fsyncDirectory);
}

/** With its own mode the file might not be opened. */
async function syncFile({ at, wanted }: StagedFile): Promise<void> {
  const { mode } = wanted.attributes ?? { mode: PRIVATE };
  if (mode !== PRIVATE) await chmod(at, PRIVATE);
  const handle = await open(at, "r");
  try {
    if (mode !== PRIVATE) await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
