import type { BigIntStats } from "node:fs";
import { chmod, chown, link, mkdir, rename, rmdir, unlink } from "node:fs/promises";
import { errnoOf } from "@keepsake/core/basics";
import { lookAt, setAttributes } from "./attributes.js";
import { type FsPath, fromJsonPath, parentOf } from "./fs-path.js";
import { fsyncTouched } from "./swap-sync.js";
import type { SwapPlan, SwapStep } from "./swap-plan.js";

type SetStep = Extract<SwapStep, { do: "set" }>;

/**
 * Carries a plan out. Idempotent: called again after a crash at any instant it goes on where it stopped. When it resolves
 * the new names survive a power cut.
 */
export async function applySwap(plan: SwapPlan, signal?: AbortSignal): Promise<void> {
  for (const step of plan.steps) {
    signal?.throwIfAborted();
    await applyStep(step);
  }
  await fsyncTouched(plan);
}

/** Takes a plan back, wholly or partly carried out as it may be. Idempotent like {@link applySwap}. */
export async function revertSwap(plan: SwapPlan): Promise<void> {
  const reversed = plan.steps.toReversed();
  for (const step of reversed) if (step.do === "set") await makeWritable(step);
  for (const step of reversed) if (step.do !== "set") await revertStep(step);
  // Attributes last: moving files back changes the times of the directories they are in.
  for (const step of reversed) {
    if (step.do === "set" && step.before !== null) await setAttributes(fromJsonPath(step.live), step.before);
    if (step.do === "remove_dir" && (await isDirectory(step)))
      await setAttributes(fromJsonPath(step.live), step.before);
  }
  await fsyncTouched(plan);
}

async function isDirectory(step: SwapStep): Promise<boolean> {
  return (await lookAt(fromJsonPath(step.live)))?.isDirectory() === true;
}

/** The plan's last `set` may have closed a directory that files must be moved out of. Its mode is set again afterwards. */
async function makeWritable(step: SetStep): Promise<void> {
  const live = fromJsonPath(step.live);
  const stats = await lookAt(live);
  if (stats?.isDirectory() !== true) return;
  const mode = Number(stats.mode) & 0o7777;
  if ((mode & 0o700) !== 0o700) await chmod(live, mode | 0o700);
}

async function applyStep(step: SwapStep): Promise<void> {
  const live = fromJsonPath(step.live);
  switch (step.do) {
    case "put": {
      const incoming = await lookAt(step.staged);
      if (incoming !== undefined) await exchange(live, step, incoming);
      return;
    }
    case "remove":
      await setAsideOnce(live, step);
      return;
    case "make_dir":
      await makeDir(live, step);
      return;
    case "remove_dir":
      await removeEmptyDir(live);
      return;
    case "set":
      await setAttributes(live, step.to);
      return;
  }
}

async function revertStep(step: Exclude<SwapStep, { do: "set" }>): Promise<void> {
  const live = fromJsonPath(step.live);
  switch (step.do) {
    case "put":
      await takeBack(live, step);
      return;
    case "remove":
      if ((await lookAt(step.undo)) !== undefined) await putBack(step.undo, live);
      return;
    case "make_dir":
      await removeEmptyDir(live);
      return;
    case "remove_dir":
      if ((await lookAt(live)) === undefined) await mkdir(live, { mode: 0o700 });
      return;
  }
}

interface Places {
  readonly staged: string;
  readonly undo: string;
}

/** What was staged takes the place of `live`, which is kept as `undo`. Between files there is no instant without one. */
async function exchange(live: FsPath, { staged, undo }: Places, incoming: BigIntStats): Promise<void> {
  const old = await lookAt(live);
  if (old !== undefined && (await lookAt(undo)) === undefined) await setAside(live, undo, old, incoming);
  else if (old !== undefined && !canRenameOver(old, incoming)) await moveAway(live, undo);
  await renameOver(staged, live, incoming);
}

/** Also where both are links of one file, as a stop between link and rename leaves them: rename(2) then does nothing. */
async function renameOver(from: FsPath, to: FsPath, moved: BigIntStats): Promise<void> {
  const there = await lookAt(to);
  if (there?.ino === moved.ino && there.dev === moved.dev) await unlink(from);
  else await rename(from, to);
}

/** rename(2) replaces a file by a file; with a directory on either side the place must be free. */
function canRenameOver(old: BigIntStats, incoming: BigIntStats): boolean {
  return !old.isDirectory() && !incoming.isDirectory();
}

async function setAside(live: FsPath, aside: FsPath, old: BigIntStats, incoming: BigIntStats): Promise<void> {
  // Outside of Linux, link(2) on a symbolic link may link what it points to.
  const linkable = old.isFile() || (old.isSymbolicLink() && process.platform === "linux");
  if (!linkable || !canRenameOver(old, incoming)) {
    await rename(live, aside);
    return;
  }
  try {
    await link(live, aside);
  } catch (error) {
    if (!LINK_REFUSED.has(errnoOf(error) ?? "")) throw error;
    // A short instant without the file is what is left.
    await rename(live, aside);
  }
}

/** No hard links here, too many already, or (Linux, protected_hardlinks) not of this file. */
const LINK_REFUSED = new Set(["EPERM", "EACCES", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL"]);

/** The reverse of {@link exchange}, also of one that stopped half-way, also of itself. */
async function takeBack(live: FsPath, { staged, undo }: Places): Promise<void> {
  const placed = (await lookAt(staged)) === undefined;
  const kept = await lookAt(undo);
  const now = await lookAt(live);
  if (placed && now !== undefined) {
    if (kept === undefined) await rename(live, staged);
    else await setAside(live, staged, now, kept);
  }
  if (kept !== undefined) await putBack(undo, live);
}

/** Moves what was kept back to its place, whatever was put there meanwhile. */
async function putBack(undo: FsPath, live: FsPath): Promise<void> {
  const kept = await lookAt(undo);
  const now = await lookAt(live);
  if (kept === undefined) return;
  if (now !== undefined && !canRenameOver(now, kept)) await moveAway(live, undo);
  await renameOver(undo, live, kept);
}

/** Someone put something at `live` meanwhile: it goes to a free name beside `aside`. */
async function moveAway(live: FsPath, aside: FsPath): Promise<void> {
  for (let count = 1; ; count++) {
    const name = Buffer.concat([Buffer.from(aside), Buffer.from(`.late-${String(count)}`)]);
    if ((await lookAt(name)) !== undefined) continue;
    await rename(live, name);
    return;
  }
}

async function setAsideOnce(live: FsPath, { undo, unless }: Extract<SwapStep, { do: "remove" }>): Promise<void> {
  const there = await lookAt(live);
  if (there === undefined || (await lookAt(undo)) !== undefined) return;
  if (unless === "directory" && there.isDirectory()) return;
  await rename(live, undo);
}

async function makeDir(live: FsPath, { mode, owner }: Extract<SwapStep, { do: "make_dir" }>): Promise<void> {
  await mkdir(parentOf(live), { recursive: true, mode: 0o700 });
  try {
    await mkdir(live, { mode: 0o700 });
  } catch (error) {
    // Not by mkdir's "recursive" on the folder itself: that takes a link to a folder for the folder.
    if (errnoOf(error) !== "EEXIST" || (await lookAt(live))?.isDirectory() !== true) throw error;
  }
  if (owner !== undefined) await chown(live, owner.uid, owner.gid);
  await chmod(live, mode);
}

async function removeEmptyDir(dir: FsPath): Promise<void> {
  try {
    await rmdir(dir);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(errnoOf(error) ?? "")) throw error;
  }
}
