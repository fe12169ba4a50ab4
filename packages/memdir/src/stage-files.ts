import { chmodSync, lchownSync, renameSync, symlinkSync } from "node:fs";
import { chmod, lstat, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf, KeepsakeError } from "@keepsake/core";
import { type Owner, readChunks, setTimeSync, syncAtOnce, TimeSlice, writeNewFile } from "@keepsake/files";
import type { Desired } from "./desired-tree.js";
import { inLanes } from "./lanes.js";

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

/**
 * Makes the file or link that the bundle wants at `at`, with its time and owner; for a file {@link settleFiles} is left. It
 * waits only to copy: a name is changed in a fraction of the time that the thread pool takes to hear of it.
 */
export async function stageOne(
  desired: Desired,
  at: string,
  owner: Owner | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const { type, attributes } = desired;
  if (type === "symlink") symlinkSync(desired.target ?? "", at);
  if (type === "file") await stageFile(desired, at, signal);
  if (owner !== undefined) lchownSync(at, owner.uid, owner.gid);
  if (attributes !== undefined) setTimeSync(at, attributes.mtimeMs);
}

async function stageFile(desired: Desired, at: string, signal: AbortSignal | undefined): Promise<void> {
  const { file, path } = desired;
  if (file === undefined)
    throw new KeepsakeError("E_INTERNAL", `The bytes of ${JSON.stringify(path)} were not unpacked.`);
  try {
    renameSync(file, at);
  } catch (error) {
    if (errnoOf(error) !== "EXDEV") throw error;
    await writeNewFile(at, readChunks(file), { sync: false, signal });
  }
}

/** A file that was staged, and the mode it gets. */
export interface StagedFile {
  readonly at: string;
  readonly mode: number;
}

/** What a staged file is until it is settled. */
const PRIVATE = 0o600;

/** Gives staged files their modes, after the change of owner, which clears setuid, and makes them survive a power cut. */
export async function settleFiles(files: readonly StagedFile[]): Promise<void> {
  const slice = new TimeSlice();
  for (const { at, mode } of files) {
    if (mode !== PRIVATE) chmodSync(at, mode);
    if (slice.isOver) await slice.next();
  }
  if (await syncAtOnce(files.length, new Set(files.map(({ at }) => dirname(at))))) return;
  await inLanes(files, syncFile);
}

/** The mode once more, through the open file: with it the file might not be opened. */
async function syncFile({ at, mode }: StagedFile): Promise<void> {
  if (mode !== PRIVATE) await chmod(at, PRIVATE);
  const handle = await open(at, "r");
  try {
    if (mode !== PRIVATE) await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
