import {
  type BigIntStats,
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { errnoOf } from "@keepsake/core/basics";
import { lookAtNow, setAttributesNow } from "./attributes.js";
import { type FsPath, fromJsonPath, parentOf } from "./fs-path.js";
import { fsyncTouched } from "./swap-sync.js";
import type { SwapPlan, SwapStep } from "./swap-plan.js";
import { TimeSlice } from "./time-slice.js";

type SetStep = Extract<SwapStep, { do: "set" }>;

/**
 * Carries a plan out. Idempotent: called again after a crash at any instant it goes on where it stopped. When it resolves
 * the new names survive a power cut.
 */
export async function applySwap(plan: SwapPlan, signal?: AbortSignal): Promise<void> {
  await eachStep(plan.steps, applyStep, signal);
  await fsyncTouched(plan);
}

/** Takes a plan back, wholly or partly carried out as it may be. Idempotent like {@link applySwap}. */
export async function revertSwap(plan: SwapPlan): Promise<void> {
  const reversed = plan.steps.toReversed();
  await eachStep(reversed, (step) => {
    if (step.do === "set") makeWritable(step);
  });
  await eachStep(reversed, (step) => {
    if (step.do !== "set") revertStep(step);
  });
  // Attributes last: moving files back changes the times of the directories they are in.
  await eachStep(reversed, (step) => {
    const isLeft = step.do === "set" || (step.do === "remove_dir" && isDirectory(step));
    if (isLeft && step.before !== null) setAttributesNow(fromJsonPath(step.live), step.before);
  });
  await fsyncTouched(plan);
}

/** In order, without waiting for more than others' turns: a name is changed in a fraction of what the thread pool takes for it. */
async function eachStep(
  steps: readonly SwapStep[],
  work: (step: SwapStep) => void,
  signal?: AbortSignal,
): Promise<void> {
  const slice = new TimeSlice();
  for (const step of steps) {
    signal?.throwIfAborted();
    if (slice.isOver) await slice.next(signal);
    work(step);
  }
}

function isDirectory(step: SwapStep): boolean {
  return lookAtNow(fromJsonPath(step.live))?.isDirectory() === true;
}

/** The plan's last `set` may have closed a directory that files must be moved out of. Its mode is set again afterwards. */
function makeWritable(step: SetStep): void {
  const live = fromJsonPath(step.live);
  const stats = lookAtNow(live);
  if (stats?.isDirectory() !== true) return;
  const mode = Number(stats.mode) & 0o7777;
  if ((mode & 0o700) !== 0o700) chmodSync(live, mode | 0o700);
}

function applyStep(step: SwapStep): void {
  const live = fromJsonPath(step.live);
  switch (step.do) {
    case "put": {
      const incoming = lookAtNow(step.staged);
      if (incoming !== undefined) exchange(live, step, incoming);
      return;
    }
    case "remove":
      setAsideOnce(live, step);
      return;
    case "make_dir":
      makeDir(live, step);
      return;
    case "remove_dir":
      removeEmptyDir(live);
      return;
    case "set":
      setAttributesNow(live, step.to);
      return;
  }
}

function revertStep(step: Exclude<SwapStep, { do: "set" }>): void {
  const live = fromJsonPath(step.live);
  switch (step.do) {
    case "put":
      takeBack(live, step);
      return;
    case "remove":
      if (lookAtNow(step.undo) !== undefined) putBack(step.undo, live);
      return;
    case "make_dir":
      removeEmptyDir(live);
      return;
    case "remove_dir":
      if (lookAtNow(live) === undefined) mkdirSync(live, { mode: 0o700 });
      return;
  }
}

interface Places {
  readonly staged: string;
  readonly undo: string;
}

/** What was staged takes the place of `live`, which is kept as `undo`. Between files there is no instant without one. */
function exchange(live: FsPath, { staged, undo }: Places, incoming: BigIntStats): void {
  const old = lookAtNow(live);
  if (old !== undefined && lookAtNow(undo) === undefined) setAside(live, undo, old, incoming);
  else if (old !== undefined && !canRenameOver(old, incoming)) moveAway(live, undo);
  renameOver(staged, live, incoming);
}

/** Also where both are links of one file, as a stop between link and rename leaves them: rename(2) then does nothing. */
function renameOver(from: FsPath, to: FsPath, moved: BigIntStats): void {
  const there = lookAtNow(to);
  if (there?.ino === moved.ino && there.dev === moved.dev) unlinkSync(from);
  else renameSync(from, to);
}

/** rename(2) replaces a file by a file; with a directory on either side the place must be free. */
function canRenameOver(old: BigIntStats, incoming: BigIntStats): boolean {
  return !old.isDirectory() && !incoming.isDirectory();
}

function setAside(live: FsPath, aside: FsPath, old: BigIntStats, incoming: BigIntStats): void {
  // Outside of Linux, link(2) on a symbolic link may link what it points to.
  const linkable = old.isFile() || (old.isSymbolicLink() && process.platform === "linux");
  if (!linkable || !canRenameOver(old, incoming)) {
    renameSync(live, aside);
    return;
  }
  try {
    linkSync(live, aside);
  } catch (error) {
    if (!LINK_REFUSED.has(errnoOf(error) ?? "")) throw error;
    // A short instant without the file is what is left.
    renameSync(live, aside);
  }
}

/** No hard links here, too many already, or (Linux, protected_hardlinks) not of this file. */
const LINK_REFUSED = new Set(["EPERM", "EACCES", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL"]);

/** The reverse of {@link exchange}, also of one that stopped half-way, also of itself. */
function takeBack(live: FsPath, { staged, undo }: Places): void {
  const placed = lookAtNow(staged) === undefined;
  const kept = lookAtNow(undo);
  const now = lookAtNow(live);
  if (placed && now !== undefined) {
    if (kept === undefined) renameSync(live, staged);
    else setAside(live, staged, now, kept);
  }
  if (kept !== undefined) putBack(undo, live);
}

/** Moves what was kept back to its place, whatever was put there meanwhile. */
function putBack(undo: FsPath, live: FsPath): void {
  const kept = lookAtNow(undo);
  const now = lookAtNow(live);
  if (kept === undefined) return;
  if (now !== undefined && !canRenameOver(now, kept)) moveAway(live, undo);
  renameOver(undo, live, kept);
}

/** Someone put something at `live` meanwhile: it goes to a free name beside `aside`. */
function moveAway(live: FsPath, aside: FsPath): void {
  for (let count = 1; ; count++) {
    const name = Buffer.concat([Buffer.from(aside), Buffer.from(`.late-${String(count)}`)]);
    if (lookAtNow(name) !== undefined) continue;
    renameSync(live, name);
    return;
  }
}

function setAsideOnce(live: FsPath, { undo, unless }: Extract<SwapStep, { do: "remove" }>): void {
  const there = lookAtNow(live);
  if (there === undefined || lookAtNow(undo) !== undefined) return;
  if (unless === "directory" && there.isDirectory()) return;
  renameSync(live, undo);
}

function makeDir(live: FsPath, { mode, owner }: Extract<SwapStep, { do: "make_dir" }>): void {
  mkdirSync(parentOf(live), { recursive: true, mode: 0o700 });
  try {
    mkdirSync(live, { mode: 0o700 });
  } catch (error) {
    // Not by mkdir's "recursive" on the folder itself: that takes a link to a folder for the folder.
    if (errnoOf(error) !== "EEXIST" || lookAtNow(live)?.isDirectory() !== true) throw error;
  }
  if (owner !== undefined) chownSync(live, owner.uid, owner.gid);
  chmodSync(live, mode);
}

function removeEmptyDir(dir: FsPath): void {
  try {
    rmdirSync(dir);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(errnoOf(error) ?? "")) throw error;
  }
}
