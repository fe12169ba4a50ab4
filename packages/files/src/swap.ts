import type { BigIntStats } from "node:fs";
import { chmod, link, lstat, lutimes, mkdir, rename, rmdir } from "node:fs/promises";
import { errnoOf } from "@keepsake/core";
import { fsyncDirectory } from "./durable.js";
import { type FsPath, fromJsonPath, parentOf } from "./fs-path.js";
import type { Attributes, SwapPlan, SwapStep } from "./swap-plan.js";

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
  for (const step of reversed) if (step.do !== "set") await revertStep(step);
  // Attributes last: moving files back changes the times of the directories they are in.
  for (const step of reversed)
    if (step.do === "set" && step.before) await setAttributes(fromJsonPath(step.live), step.before);
  await fsyncTouched(plan);
}

async function lookAt(path: FsPath): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

async function applyStep(step: SwapStep): Promise<void> {
  const live = fromJsonPath(step.live);
  switch (step.do) {
    case "put":
      if ((await lookAt(step.staged)) !== undefined) await exchange(live, step.staged, step.undo);
      return;
    case "remove":
      if ((await lookAt(step.undo)) === undefined && (await lookAt(live)) !== undefined) await rename(live, step.undo);
      return;
    case "make_dir":
      await mkdir(live, { recursive: true, mode: 0o700 });
      await chmod(live, step.mode);
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
      await takeBack(live, step.staged, step.undo);
      return;
    case "remove":
      if ((await lookAt(step.undo)) !== undefined) await rename(step.undo, live);
      return;
    case "make_dir":
      await removeEmptyDir(live);
      return;
    case "remove_dir":
      if ((await lookAt(live)) === undefined) await mkdir(live, { mode: 0o700 });
      await setAttributes(live, step.before);
      return;
  }
}

/** `incoming` takes the place of `live`, which is kept as `aside`. Between files there is no instant without one. */
async function exchange(live: FsPath, incoming: FsPath, aside: FsPath): Promise<void> {
  const old = await lookAt(live);
  const kept = (await lookAt(aside)) !== undefined;
  if (old !== undefined && !kept) await setAside(live, aside, old);
  else if (old?.isDirectory() === true) throw directoryInTheWay(live);
  await rename(incoming, live);
}

async function setAside(live: FsPath, aside: FsPath, old: BigIntStats): Promise<void> {
  if (old.isDirectory()) {
    await rename(live, aside);
    return;
  }
  try {
    await link(live, aside);
  } catch {
    // No hard links here: a short instant without the file is what is left.
    await rename(live, aside);
  }
}

/** The reverse of {@link exchange}, also of one that stopped half-way, also of itself. */
async function takeBack(live: FsPath, staged: FsPath, aside: FsPath): Promise<void> {
  const placed = (await lookAt(staged)) === undefined;
  const kept = await lookAt(aside);
  const now = await lookAt(live);
  if (placed && now !== undefined) {
    if (kept === undefined || now.isDirectory()) await rename(live, staged);
    else await setAside(live, staged, now);
  }
  if (kept !== undefined) await rename(aside, live);
}

function directoryInTheWay(live: FsPath): Error {
  return Object.assign(new Error(`EEXIST: a directory was put at ${live.toString()} meanwhile`), {
    code: "EEXIST",
    syscall: "rename",
  });
}

async function removeEmptyDir(dir: FsPath): Promise<void> {
  try {
    await rmdir(dir);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(errnoOf(error) ?? "")) throw error;
  }
}

async function setAttributes(path: FsPath, { mode, mtimeMs }: Attributes): Promise<void> {
  const stats = await lookAt(path);
  if (stats === undefined) return;
  if (!stats.isSymbolicLink()) await chmod(path, mode);
  await lutimes(path, new Date(mtimeMs), new Date(mtimeMs));
}

async function fsyncTouched(plan: SwapPlan): Promise<void> {
  const parents = new Map<string, FsPath>();
  for (const step of plan.steps) {
    const parent = parentOf(fromJsonPath(step.live));
    parents.set(Buffer.from(parent).toString("latin1"), parent);
  }
  for (const parent of parents.values()) {
    if ((await lookAt(parent))?.isDirectory() === true) await fsyncDirectory(parent);
  }
}
