import { type ArtifactSource, KeepsakeError } from "@keepsake/core";

/** A source that can restore, and whether the bundle was taken with it. */
export interface SourceToRestore {
  readonly source: ArtifactSource;
  readonly open: NonNullable<ArtifactSource["openRestore"]>;
  readonly wanted: boolean;
}

/**
 * All configured sources in the order their sessions are opened: those that take the remainder last, because they need
 * the claims of all others, also of those the bundle does not have.
 *
 * @throws KeepsakeError `E_PLUGIN_UNKNOWN` when the bundle needs a source that is not configured, `E_UNSUPPORTED` when it
 *   needs one that cannot restore
 */
export function sourcesToRestore(
  sources: readonly ArtifactSource[],
  wanted: ReadonlySet<string>,
): readonly SourceToRestore[] {
  checkAllKnown(
    wanted,
    sources.map(({ id }) => id),
  );
  const ordered = [
    ...sources.filter(({ takes }) => takes !== "remainder"),
    ...sources.filter(({ takes }) => takes === "remainder"),
  ];
  return ordered.flatMap((source) => {
    const open = source.openRestore?.bind(source);
    if (open !== undefined) return [{ source, open, wanted: wanted.has(source.id) }];
    if (!wanted.has(source.id)) return [];
    throw new KeepsakeError("E_UNSUPPORTED", `The source ${source.id} cannot restore.`, {
      context: { source: source.id },
    });
  });
}

function checkAllKnown(wanted: ReadonlySet<string>, known: readonly string[]): void {
  for (const id of wanted) {
    if (known.includes(id)) continue;
    throw new KeepsakeError(
      "E_PLUGIN_UNKNOWN",
      `The bundle holds artifacts of the source ${id}, which is not configured.`,
      {
        context: { source: id, configured: known },
        hint: "Configure a source with that id, or the preset the snapshot was taken with.",
      },
    );
  }
}
