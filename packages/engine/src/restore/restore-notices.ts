import type { ArtifactSource, Manifest, SnapshotRecord } from "@keepsake/core";
import { STATE_FOLDER } from "../snapshot/stage-state.js";
import type { AgentProfile } from "../workspace.js";
import type { RestoreTransaction } from "./restore-transaction.js";

/** The kind of artifacts that a repository is made of. */
const REPOSITORY = "git_bundle";

/** What the user should know: what the sources say, what the snapshot did not capture, what no longer fits together. */
export function restoreNotices(
  profile: AgentProfile,
  manifest: Manifest,
  transaction: RestoreTransaction,
  preSnapshot: SnapshotRecord | undefined,
): readonly string[] {
  const notices = [
    ...transaction.plans.flatMap(({ plan }) => plan.notices),
    ...uncaptured(profile, manifest, transaction),
    ...partedFromFiles(profile, manifest, transaction),
    ...unreadState(manifest, transaction),
  ];
  if (preSnapshot?.complete === false) notices.push("The pre-restore snapshot is incomplete: see its omitted entries.");
  return notices;
}

/** What was not captured stays as it is: the snapshot does not say what it was. */
function* uncaptured(
  { sources, state }: AgentProfile,
  manifest: Manifest,
  { selection }: RestoreTransaction,
): Generator<string> {
  const captured = new Set([
    ...manifest.sources.map(({ id }) => id),
    ...manifest.artifacts.map(({ source }) => source),
  ]);
  if (selection !== undefined) return;
  for (const { id } of sources) {
    if (!captured.has(id)) yield `The snapshot was taken without the source ${id}: what it looks after stays as it is.`;
  }
  if (state.length > 0 && !captured.has(STATE_FOLDER)) {
    yield "The snapshot was taken without state values: they stay as they are.";
  }
}

/** State values that the snapshot could not capture, and those that cannot be read now. */
function* unreadState({ omitted }: Manifest, { selection, state }: RestoreTransaction): Generator<string> {
  for (const { source, path, code = "" } of selection === undefined ? omitted : []) {
    if (source !== STATE_FOLDER) continue;
    yield `The snapshot holds no state value ${path.replace(/\.json$/, "")} (${code}): it stays as it is.`;
  }
  for (const key of state?.unread ?? []) {
    yield `The state value ${key} cannot be read as it is now: no undo brings it back.`;
  }
}

/** A repository and the files it looks after were one moment; one of them alone is not. */
function* partedFromFiles(
  { sources }: AgentProfile,
  { artifacts }: Manifest,
  { selection }: RestoreTransaction,
): Generator<string> {
  if (selection === undefined || selection.hasWholeMemory) return;
  const taken = (isIt: (source: ArtifactSource) => boolean): boolean =>
    sources.some((source) => isIt(source) && (selection.isWhole(source.id) || selection.tookAnything(source.id)));
  const repository = taken(({ kind }) => kind === REPOSITORY);
  const files = taken(({ takes }) => takes === "remainder");
  const allFiles = sources.some(({ takes, id }) => takes === "remainder" && selection.isWhole(id));
  if (repository && !allFiles) {
    yield "The repository comes back without all of its working files: `git status` will show those that stayed as they are as modified, deleted or untracked.";
  } else if (files && !repository && artifacts.some(({ kind }) => kind === REPOSITORY)) {
    yield "The files come back without their repository: `git status` will show them as they differ from the commit and the index that stay.";
  }
}
