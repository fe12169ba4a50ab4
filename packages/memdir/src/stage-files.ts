import { chmod, lchown, lstat, mkdir, open, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf, KeepsakeError } from "@keepsake/core";
import { type Owner, readChunks, setTime, writeNewFile } from "@keepsake/files";
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

/** Makes the file or link that the bundle wants at `at`, complete with mode, time and owner, and on the disk. */
export async function stageOne(
  desired: Desired,
  at: string,
  owner: Owner | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const { type, attributes } = desired;
  if (type === "symlink") await symlink(desired.target ?? "", at);
  if (type === "file") await stageFile(desired, at, signal);
  if (owner !== undefined) await lchown(at, owner.uid, owner.gid);
  if (attributes === undefined) return;
  // After the change of owner, which clears setuid.
  if (type === "file") await chmod(at, 0o600);
  await setTime(at, attributes.mtimeMs);
  if (type === "file") await closeFile(at, attributes.mode);
}

async function stageFile(desired: Desired, at: string, signal: AbortSignal | undefined): Promise<void> {
  const { file, path } = desired;
  if (file === undefined)
    throw new KeepsakeError("E_INTERNAL", `The bytes of ${JSON.stringify(path)} were not unpacked.`);
  try {
    await rename(file, at);
  } catch (error) {
    if (errnoOf(error) !== "EXDEV") throw error;
    await writeNewFile(at, readChunks(file), { sync: false, signal });
  }
}

/** Sets the mode last, through the open file: afterwards it might not be opened any more. */
async function closeFile(path: string, mode: number): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
