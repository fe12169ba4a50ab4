import type { ArtifactReader, BundleEntry, OpOptions } from "@keepsake/core";
import { diffSource } from "../diff/diff-source.js";
import { diffState } from "../diff/diff-state.js";
import type { DiffSource } from "../memory-snapshotter.js";
import type { Capture } from "../snapshot/capture-once.js";
import { STATE_FOLDER } from "../snapshot/stage-state.js";
import type { AgentProfile } from "../workspace.js";
import type { RestoreTransaction } from "./restore-transaction.js";
import type { UnpackedBundle } from "./unpacked-bundle.js";

/**
 * How a bundle differs from the live memory, of what a staged restore is of: "added" is what it would bring back.
 *
 * @param unpacked not the one that was staged: what was staged took its files
 */
export async function liveDifference(
  live: Capture,
  unpacked: UnpackedBundle,
  transaction: RestoreTransaction,
  profile: AgentProfile,
  options: OpOptions,
): Promise<readonly DiffSource[]> {
  const found: DiffSource[] = [];
  const { selection, plans } = transaction;
  const isTaken = (id: string, path: string): boolean =>
    selection === undefined || selection.isWhole(id) || selection.took(id, path) || selection.took(id, "");
  const restored = new Set(plans.map(({ source }) => source));
  await unpacked.bring(({ meta: { source }, path }) => restored.has(source) && isTaken(source, path));
  for (const id of restored) {
    const isTakenOfIt = (path: string): boolean => isTaken(id, path);
    const before = only(readerOf(live, id), isTakenOfIt);
    found.push(await diffSource(id, before, only(unpacked.reader(id), isTakenOfIt), profile.sources, options));
  }
  const { state } = transaction;
  if (state !== undefined) found.push({ id: STATE_FOLDER, kind: STATE_FOLDER, ...diffState(state.before, state.to) });
  return found.filter(({ items }) => items.length > 0);
}

function only({ entries, omitted }: ArtifactReader, isTaken: (path: string) => boolean): ArtifactReader {
  return { entries: entries.filter(({ path }) => isTaken(path)), omitted };
}

function readerOf({ sources }: Capture, id: string): ArtifactReader {
  const captured = sources.find(({ source }) => source.id === id);
  const entries = (captured?.artifacts ?? []).map(
    ({ meta, file }): BundleEntry => ({
      meta,
      path: meta.pathInBundle.slice(id.length + 1),
      ...(file === undefined ? {} : { file }),
    }),
  );
  return { entries, omitted: captured?.omitted ?? [] };
}
