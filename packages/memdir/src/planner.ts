import { eachAtOnce, KeepsakeError, type PlannedChange } from "@keepsake/core";
import { attributesOf, type FsPath, joinLatin1, lockedHere, sameTime, type SwapStep, TimeSlice } from "@keepsake/files";
import { holdsSame } from "./compare.js";
import type { Desired, DesiredTree } from "./desired-tree.js";
import type { LiveNode, LiveTree } from "./live-tree.js";
import { ownerFor } from "./owner.js";
import { attributesOfNew, isAtOrBelow, parentKey, type Place, PlanSteps } from "./plan-steps.js";
import { Staging } from "./staging.js";

/** What a plan is made of. */
export interface PlanInput {
  /** absolute path */
  readonly root: string;
  readonly rootNode: LiveNode | undefined;
  readonly desired: DesiredTree;
  readonly live: LiveTree;
  /** refuses a path that another source looks after; false where a glob says that it is to be kept */
  readonly accepts: (desired: Desired) => boolean;
  /** false for a folder that is only on the way to what is restored */
  readonly isSelected: (desired: Desired) => boolean;
  /** true for a folder whose place another source's file takes: it goes with all that is in it */
  readonly givesWay: (folder: LiveNode) => boolean;
  /** true for a folder that no other source has anything in: where it is new it comes as a whole, in one step */
  readonly comesAlone: (folder: Desired) => boolean;
  /** names for a change at the key, on the file system of that place */
  readonly place: (key: string) => Promise<Place>;
  /** true when this process is root's */
  readonly isRoot: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The steps that turn the live tree into the bundle's; stages what is to come.
 *
 * @throws KeepsakeError `E_ALREADY_EXISTS` when a folder that holds what must stay is in the way of a file
 */
export async function planSwap(input: PlanInput): Promise<{ steps: SwapStep[]; changes: readonly PlannedChange[] }> {
  const { desired, live, rootNode } = input;
  const steps = new PlanSteps();
  if (rootNode !== undefined) steps.keepFolder(rootNode);
  const replaced = new Set<string>();
  const staging = new Staging(input);
  const unsettled: { wanted: Desired; node: LiveNode }[] = [];
  for (const node of live.nodes.values()) if (node.type === "directory" && input.givesWay(node)) refuseKept(node, live);

  for (const wanted of desired.values()) {
    if (!input.accepts(wanted) || !isTouchable(wanted, live)) continue;
    const folder = staging.folder(parentKey(wanted.key));
    if (folder !== undefined) {
      bring(wanted, folder, input, steps, staging);
      continue;
    }
    const buried = isAtOrBelow(parentKey(wanted.key), replaced);
    const node = buried ? undefined : live.nodes.get(wanted.key);
    const isSelected = input.isSelected(wanted);
    if (node?.type === "directory" && wanted.type === "directory") {
      steps.keepFolder(node, isSelected ? wanted : undefined);
    } else if (!isSelected && node !== undefined) throw inTheWay(wanted);
    else if (node?.type === wanted.type) unsettled.push({ wanted, node });
    else if (wanted.type === "directory" && node === undefined && !buried && input.comesAlone(wanted)) {
      await putTree(wanted, input, steps, staging);
    } else {
      if (node?.type === "directory") clearFolder(node, input, steps);
      if (node !== undefined) replaced.add(node.key);
      await put(wanted, node, input, steps, staging);
    }
  }
  const isLockedHere = lockedHere();
  const slice = new TimeSlice();
  await eachAtOnce(unsettled, async ({ wanted, node }) => {
    // To compare a file that this process has locked would drop the lock; it will be refused as open.
    if (isLockedHere(node.stats) || !(await holdsSame(node, wanted, input.signal)))
      await put(wanted, node, input, steps, staging);
    else if (wanted.attributes !== undefined && !looksSame(node, wanted.attributes.mode, wanted.attributes.mtimeMs)) {
      steps.setAttributes(node, wanted.attributes, wanted.path);
    }
    if (slice.isOver) await slice.next(input.signal);
  });
  await removeExtra(input, steps, replaced);
  await staging.make();
  const folders = [...live.nodes.values()].filter(({ type }) => type === "directory");
  return { steps: steps.inOrder(rootNode === undefined ? folders : [rootNode, ...folders]), changes: steps.changes };
}

/** A folder on the way to what is restored, whose place something has taken that is to stay. */
function inTheWay({ path }: Desired): KeepsakeError {
  return new KeepsakeError(
    "E_ALREADY_EXISTS",
    `${JSON.stringify(path)} is no folder, and something is to come into it.`,
    {
      context: { path },
      hint: "Select it as well, or move it away.",
    },
  );
}

async function put(
  wanted: Desired,
  node: LiveNode | undefined,
  input: PlanInput,
  steps: PlanSteps,
  staging: Staging,
): Promise<void> {
  const place = await input.place(wanted.key);
  if (wanted.type === "directory") {
    steps.makeFolder(wanted, node, joinLatin1(input.root, wanted.key), place.undo, ownerFor(wanted.key, input));
    return;
  }
  steps.put(wanted, node, joinLatin1(input.root, wanted.key), place);
  staging.addTop(wanted, place.staged);
}

/** A new folder comes with all that the bundle has in it. */
async function putTree(wanted: Desired, input: PlanInput, steps: PlanSteps, staging: Staging): Promise<void> {
  const place = await input.place(wanted.key);
  const to = attributesOfNew(wanted);
  steps.putTree(wanted, to, joinLatin1(input.root, wanted.key), place);
  staging.addTop(wanted, place.staged, to);
}

/** Something in a folder that comes as a whole. */
function bring(wanted: Desired, folder: FsPath, input: PlanInput, steps: PlanSteps, staging: Staging): void {
  const to = wanted.type === "directory" ? attributesOfNew(wanted) : undefined;
  steps.bring(wanted, to, input.root);
  staging.addWithin(wanted, folder, to);
}

function looksSame(node: LiveNode, mode: number, mtimeMs: number): boolean {
  const now = attributesOf(node.stats);
  return sameTime(now.mtimeMs, mtimeMs) && (node.type === "symlink" || now.mode === mode);
}

/**
 * False for what is to be kept as it is.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH` for another source's place: silently, the bundle would come back in part
 */
function isTouchable({ key, path }: Desired, { untouchable }: LiveTree): boolean {
  for (let at = key; at !== ""; at = parentKey(at)) {
    const by = untouchable.get(at);
    if (by === "kept") return false;
    if (by === "claimed") throw lookedAfter(path);
  }
  return true;
}

/** The path of a bundle's file is one that another source looks after. */
export function lookedAfter(path: string): KeepsakeError {
  return new KeepsakeError("E_UNSAFE_PATH", `${JSON.stringify(path)} is looked after by another source.`, {
    context: { path },
  });
}

/** A folder in the way of a file: what other sources hold in it they remove themselves; anything else that stays forbids it. */
function clearFolder(node: LiveNode, { live }: PlanInput, steps: PlanSteps): void {
  if (!live.shelters.has(node.key)) return;
  refuseKept(node, live);
  for (const inner of live.nodes.values()) {
    if (inner.type === "directory" && isAtOrBelow(inner.key, new Set([node.key]))) steps.removeEmpty(inner);
  }
}

function refuseKept(node: LiveNode, { shelters }: LiveTree): void {
  if (shelters.get(node.key) !== "kept") return;
  const path = node.relative.toString("utf8");
  throw new KeepsakeError(
    "E_ALREADY_EXISTS",
    `The folder ${JSON.stringify(path)} holds what is to stay, and the bundle has a file of that name.`,
    { context: { path }, hint: "Move the folder away, or take it out of what is kept and excluded." },
  );
}

/** What is ours and not the bundle's goes. */
async function removeExtra(
  { desired, live, place }: PlanInput,
  steps: PlanSteps,
  replaced: Set<string>,
): Promise<void> {
  const gone = new Set<string>();
  for (const node of live.nodes.values()) {
    if (desired.has(node.key) || isAtOrBelow(node.key, replaced) || isAtOrBelow(node.key, gone)) continue;
    const isShelter = node.type === "directory" && live.shelters.has(node.key);
    if (isShelter) steps.keepFolder(node);
    if (!node.ours) continue;
    if (isShelter) {
      steps.removeEmpty(node);
      continue;
    }
    gone.add(node.key);
    steps.remove(node, (await place(node.key)).undo);
  }
}
