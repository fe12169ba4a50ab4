import type { ArtifactReader, DiffItem, JsonObject, SourceDiff } from "@keepsake/core";
import { type BundledGitDir, readBundledGitDirs } from "./bundled-git-dir.js";
import { describeCommits, history, lacking, peel } from "./commit-graph.js";
import { stagedEdits } from "./staged-edits.js";

/** Most commits that are named one by one, on each side. */
const MOST_COMMITS = 20;

interface Totals {
  commitsAdded: number;
  commitsRemoved: number;
  refsAdded: number;
  refsRemoved: number;
  refsMoved: number;
  stagedChanged: number;
}

/**
 * Compares the repositories of two bundles: HEAD and the commits between, branches and tags, and what is staged. Files are
 * compared by the source of the working tree.
 */
export async function diffRepositories(
  before: ArtifactReader,
  after: ArtifactReader,
  signal?: AbortSignal,
): Promise<SourceDiff> {
  const [old, now] = [readBundledGitDirs(before), readBundledGitDirs(after)];
  const totals = { commitsAdded: 0, commitsRemoved: 0, refsAdded: 0, refsRemoved: 0, refsMoved: 0, stagedChanged: 0 };
  const items: DiffItem[] = [];
  try {
    for (const folder of [...new Set([...old.keys(), ...now.keys()])].sort()) {
      signal?.throwIfAborted();
      const [a, b] = [old.get(folder), now.get(folder)];
      const shown = folder === "" ? "" : `${folder}:`;
      if (a !== undefined && b !== undefined) items.push(...(await diffOne(a, b, shown, totals, signal)));
      else items.push(await wholeRepository(a, b, folder, signal));
    }
  } finally {
    for (const repository of [...old.values(), ...now.values()]) repository[Symbol.dispose]();
  }
  const commitsBetween = totals.commitsAdded + totals.commitsRemoved;
  return { items, summary: { commitsBetween, ...totals } };
}

async function wholeRepository(
  before: BundledGitDir | undefined,
  after: BundledGitDir | undefined,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<DiffItem> {
  const repository = after ?? before;
  const commits =
    repository === undefined ? 0 : (await history(repository.store, repository.refs.head.oid, signal)).size;
  const details = { commits, refs: repository?.refs.byName.size ?? 0, head: repository?.refs.head.oid ?? null };
  return {
    path: folder === "" ? ".git" : `${folder}/.git`,
    change: before === undefined ? "added" : "removed",
    details,
  };
}

async function diffOne(
  before: BundledGitDir,
  after: BundledGitDir,
  shown: string,
  totals: Totals,
  signal: AbortSignal | undefined,
): Promise<readonly DiffItem[]> {
  const items: DiffItem[] = [];
  const [from, to] = [before.refs.head, after.refs.head];
  if (from.oid !== to.oid || from.ref !== to.ref) {
    const between = await commitsBetween(before, from.oid, after, to.oid, signal);
    totals.commitsAdded += between.added.length;
    totals.commitsRemoved += between.removed.length;
    const details: JsonObject = {
      ...{ from: from.oid ?? null, to: to.oid ?? null, fromRef: from.ref ?? null, toRef: to.ref ?? null },
      ...countsOf(between),
      commitsAdded: describeCommits(after.store, between.added, MOST_COMMITS).map((line) => ({ ...line })),
      commitsRemoved: describeCommits(before.store, between.removed, MOST_COMMITS).map((line) => ({ ...line })),
    };
    items.push({ path: `${shown}HEAD`, change: "changed", details });
  }
  items.push(...(await diffRefs(before, after, shown, totals, signal)));
  const staged = diffStaged(before, after);
  totals.stagedChanged += staged.length;
  for (const { path, ...rest } of staged) items.push({ path: `${shown}index:${path}`, ...rest });
  return items;
}

async function diffRefs(
  before: BundledGitDir,
  after: BundledGitDir,
  shown: string,
  totals: Totals,
  signal: AbortSignal | undefined,
): Promise<readonly DiffItem[]> {
  const items: DiffItem[] = [];
  for (const name of [...new Set([...before.refs.byName.keys(), ...after.refs.byName.keys()])].sort()) {
    const [from, to] = [before.refs.byName.get(name), after.refs.byName.get(name)];
    if (from === to) continue;
    if (from === undefined) totals.refsAdded++;
    else if (to === undefined) totals.refsRemoved++;
    else totals.refsMoved++;
    const change = from === undefined ? "added" : to === undefined ? "removed" : "changed";
    const moved =
      from === undefined || to === undefined ? {} : countsOf(await commitsBetween(before, from, after, to, signal));
    items.push({ path: `${shown}${name}`, change, details: { from: from ?? null, to: to ?? null, ...moved } });
  }
  return items;
}

interface Between {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** `diverged`: neither is an ancestor of the other. */
function countsOf({ added, removed }: Between): JsonObject {
  return { ahead: added.length, behind: removed.length, diverged: added.length > 0 && removed.length > 0 };
}

async function commitsBetween(
  before: BundledGitDir,
  from: string | undefined,
  after: BundledGitDir,
  to: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Between> {
  const old = await history(before.store, from === undefined ? undefined : peel(before.store, from), signal);
  const now = await history(after.store, to === undefined ? undefined : peel(after.store, to), signal);
  return { added: lacking(now, old), removed: lacking(old, now) };
}

function diffStaged(before: BundledGitDir, after: BundledGitDir): readonly DiffItem[] {
  const [old, now] = [stagedEdits(before), stagedEdits(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => ({ path, change: !old.has(path) ? "added" : !now.has(path) ? "removed" : "changed" }));
}
