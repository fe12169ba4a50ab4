import type { ArtifactMeta, ArtifactReader, DiffItem, SourceDiff } from "@keepsake/core";

/** Compares artifacts by what the manifest says of them; for sources that bring no comparison of their own. */
export function diffArtifacts(before: ArtifactReader, after: ArtifactReader): SourceDiff {
  const old = new Map(before.entries.map(({ path, meta }) => [path, meta]));
  const now = new Map(after.entries.map(({ path, meta }) => [path, meta]));
  const items: DiffItem[] = [];
  for (const path of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    const item = compare(path, old.get(path), now.get(path));
    if (item !== undefined) items.push(item);
  }
  const count = (change: DiffItem["change"]) => items.filter((item) => item.change === change).length;
  return {
    items,
    summary: { filesAdded: count("added"), filesRemoved: count("removed"), filesChanged: count("changed") },
  };
}

function compare(
  path: string,
  before: ArtifactMeta | undefined,
  after: ArtifactMeta | undefined,
): DiffItem | undefined {
  if (before === undefined)
    return after === undefined ? undefined : { path, change: "added", details: { bytes: after.sizeBytes } };
  if (after === undefined) return { path, change: "removed", details: { bytes: before.sizeBytes } };
  const same = before.type === after.type && before.sha256 === after.sha256 && before.mode === after.mode;
  return same
    ? undefined
    : { path, change: "changed", details: { bytesBefore: before.sizeBytes, bytesAfter: after.sizeBytes } };
}
