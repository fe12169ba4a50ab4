import { basename } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { KeepsakeError } from "@keepsake/core";
import type { HashKind } from "../objects/hash-kind.js";
import { loosePath } from "../objects/loose.js";
import { ObjectStore } from "../objects/object-store.js";
import { MOST_NAMED, Reachability } from "../objects/reachability.js";
import type { FileMap } from "../repository/file-map.js";
import { shallowCommits } from "../repository/git-dir.js";
import type { RepositoryPlace } from "../repository/locate.js";
import { readRoots, type Roots } from "../repository/roots.js";
import { alternatesOf, scanObjects } from "../repository/scan-objects.js";
import { fileMapOf, listState } from "../repository/state-files.js";
import type { ObjectCopy } from "./object-copy.js";

const ROUNDS = 12;

/** What a copy of the objects has and lacks. */
export interface CopyReport {
  readonly commits: number;
  /** needed by refs, HEAD or the index, and nowhere to be found */
  readonly missing: readonly string[];
  readonly missingCount: number;
  /** needed by reflogs and the like alone */
  readonly forgottenCount: number;
  /**
   * Files of the copy, by path below `objects`, of which everything is in the copy that their objects lead to; empty where something is
   * missing or borrowed. Of what no root leads to that is not known.
   */
  readonly whole: ReadonlySet<string>;
}

/** What is to be completed. */
export interface CopyTask {
  readonly copy: ObjectCopy;
  readonly place: RepositoryPlace;
  readonly objectsDir: string;
  readonly files: FileMap;
  readonly kind: HashKind;
}

/**
 * Copies objects until everything that the pinned refs, index and reflogs need is in the copy, or until it is certain that
 * the repository itself lacks it.
 *
 * @throws KeepsakeError `E_SOURCE_CHANGED` when objects were removed meanwhile that nothing in the live repository needs
 *   any more, or when it is repacked faster than it can be copied
 */
export async function completeCopy(task: CopyTask, signal?: AbortSignal): Promise<CopyReport> {
  const roots = readRoots(task.files, task.kind);
  for (let round = 0; round < ROUNDS; round++) {
    const changed = await task.copy.round(signal);
    const report = await examine(task, roots, signal);
    if (report.missingCount === 0 && report.forgottenCount === 0) return report;
    if (!changed) {
      if (report.missingCount > 0) await requireSameDamage(task, report, signal);
      return report;
    }
    await pause(round);
  }
  throw changing(task);
}

async function examine(task: CopyTask, roots: Roots, signal: AbortSignal | undefined): Promise<CopyReport> {
  const borrowed = await alternatesOf(task.objectsDir);
  using store = new ObjectStore(task.copy.files, task.kind);
  using lender = new ObjectStore(await scanObjects(borrowed, task.kind), task.kind);
  const supply = (oid: string): boolean => {
    const object = lender.has(oid) ? lender.read(oid) : undefined;
    if (object === undefined) return false;
    store.addLoose(oid, task.copy.supply(oid, object));
    return true;
  };
  const isWhole = (oid: string): boolean => task.copy.isKnown(oid, store);
  const reach = new Reachability(store, { signal, shallow: shallowCommits(task.files), supply, isWhole });
  await reach.walk(roots.required);
  reach.check(roots.indexed);
  const { missing, missingCount, commits } = reach.report;
  await reach.walk(roots.remembered);
  const allMissing = reach.report.missingCount;
  const isClosed = allMissing === 0 && borrowed.length === 0;
  const whole = isClosed ? wholeFiles(task.copy, store, (oid) => isWhole(oid) || reach.hasReached(oid)) : [];
  return { commits, missing, missingCount, forgottenCount: allMissing - missingCount, whole: new Set(whole) };
}

function* wholeFiles(copy: ObjectCopy, store: ObjectStore, isWhole: (oid: string) => boolean): Generator<string> {
  for (const oid of copy.files.loose.keys()) if (isWhole(oid)) yield loosePath(oid);
  for (const { pack } of copy.files.packs) {
    const name = basename(pack, ".pack");
    if (copy.isKnownPack(name) || every(store.oidsIn(pack), isWhole)) yield* [`pack/${name}.pack`, `pack/${name}.idx`];
  }
}

function every<T>(items: Iterable<T>, test: (item: T) => boolean): boolean {
  for (const item of items) if (!test(item)) return false;
  return true;
}

/** Objects that are missing were perhaps removed with the branch that needed them: then this is no damage. */
async function requireSameDamage(task: CopyTask, report: CopyReport, signal: AbortSignal | undefined): Promise<void> {
  const now = readRoots(fileMapOf(listState(task.place)), task.kind);
  const current = await examine(task, { ...now, remembered: new Set() }, signal);
  if (report.missingCount > MOST_NAMED && current.missingCount > 0) return;
  if (!report.missing.some((oid) => current.missing.includes(oid))) throw changing(task);
}

function changing({ place }: CopyTask): KeepsakeError {
  return new KeepsakeError(
    "E_SOURCE_CHANGED",
    `The git repository at ${JSON.stringify(place.at)} was repacked or pruned faster than it could be copied.`,
    { context: { path: place.at } },
  );
}
