import { type ArtifactSource, KeepsakeError } from "@keepsake/core";
import type { Selection } from "./selection/selection.js";

/** A source that can restore, and whether it takes part: the bundle was taken with it, and it may hold what is selected. */
export interface SourceToRestore {
  readonly source: ArtifactSource;
  readonly open: NonNullable<ArtifactSource["openRestore"]>;
  readonly wanted: boolean;
}

/**
 * All configured sources in the order their sessions are opened: those that take the remainder last, because they need
 * the claims of all others, also of those the bundle does not have.
 *
 * @param captured ids of the sources that the bundle was taken with
 * @throws KeepsakeError `E_PLUGIN_UNKNOWN` when the restore needs a source that is not configured, `E_UNSUPPORTED` when it
 *   needs one that cannot restore, or cannot restore the part that is selected
 */
export function sourcesToRestore(
  sources: readonly ArtifactSource[],
  captured: ReadonlySet<string>,
  selection?: Selection,
): readonly SourceToRestore[] {
  const isNeeded = (id: string): boolean => captured.has(id) && (selection === undefined || selection.names(id));
  checkAllKnown(
    [...captured].filter(isNeeded),
    sources.map(({ id }) => id),
  );
  const ordered = [
    ...sources.filter(({ takes }) => takes !== "remainder"),
    ...sources.filter(({ takes }) => takes === "remainder"),
  ];
  return ordered.flatMap((source) => {
    const open = source.openRestore?.bind(source);
    if (open !== undefined) {
      return [{ source, open, wanted: captured.has(source.id) && takesPart(source, selection) }];
    }
    if (!isNeeded(source.id)) return [];
    throw new KeepsakeError("E_UNSUPPORTED", `The source ${source.id} cannot restore.`, {
      context: { source: source.id },
    });
  });
}

/** A source that does not know selections restores everything it has: it takes part only when that is what is selected. */
function takesPart(source: ArtifactSource, selection: Selection | undefined): boolean {
  if (selection === undefined) return true;
  if (source.restores === "part") return selection.mayConcern(source.id);
  if (selection.isWhole(source.id)) return true;
  if (selection.names(source.id) || (source.takes === "remainder" && selection.hasPaths)) {
    throw restoresWhole(source.id);
  }
  return false;
}

/** The source would restore all it has where a part is selected. */
export function restoresWhole(id: string, pattern?: string): KeepsakeError {
  return new KeepsakeError("E_UNSUPPORTED", `The source ${id} can be restored only as a whole.`, {
    context: { source: id, ...(pattern === undefined ? {} : { only: pattern }) },
    hint: `Select it by its id (${id}), or restore the whole snapshot.`,
  });
}

function checkAllKnown(wanted: readonly string[], known: readonly string[]): void {
  for (const id of wanted) {
    if (known.includes(id)) continue;
    throw new KeepsakeError(
      "E_PLUGIN_UNKNOWN",
      `The bundle holds artifacts of the source ${id}, which is not configured.`,
      {
        context: { source: id, configured: [...known] },
        hint: "Configure a source with that id, or the preset the snapshot was taken with.",
      },
    );
  }
}
