import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { errnoOf } from "@keepsake/core/basics";
import { fsyncDirectory } from "./durable.js";
import { type FsPath, fromJsonPath, parentOf, pathKey } from "./fs-path.js";
import type { SwapPlan, SwapStep } from "./swap-plan.js";

/** What is gone by now, or may not be opened, has nothing that could be synced through it. */
const PASSED_OVER = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EACCES", "EPERM", "ENXIO"]);

/** Makes all that a plan touched survive a power cut: the folders its names are in, and the attributes it set. */
export async function fsyncTouched(plan: SwapPlan): Promise<void> {
  const folders = new Map<string, FsPath>();
  const note = (path: FsPath): unknown => folders.set(pathKey(path), path);
  for (const step of plan.steps) {
    note(parentOf(fromJsonPath(step.live)));
    if ("staged" in step) note(parentOf(step.staged));
    if ("undo" in step) note(parentOf(step.undo));
  }
  await eachOf(
    plan.steps.filter((step) => step.do === "set" || step.do === "make_dir"),
    syncItself,
  );
  await eachOf([...folders.values()], (folder) => passingOver(() => fsyncDirectory(folder)));
}

async function syncItself(step: SwapStep): Promise<void> {
  await passingOver(async () => {
    const handle = await open(
      fromJsonPath(step.live),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      await handle.sync();
    } catch (error) {
      if (errnoOf(error) !== "EINVAL") throw error;
    } finally {
      await handle.close();
    }
  });
}

async function passingOver(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!PASSED_OVER.has(errnoOf(error) ?? "")) throw error;
  }
}

/** Eight at a time: a sync mostly waits. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}
