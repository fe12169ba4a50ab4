import { join } from "node:path";
import { KeepsakeError, type RestoreSelection } from "@keepsake/core";
import { GIT_NAMES } from "../repository/claims.js";
import type { Layout } from "../repository/locate.js";

/**
 * Whether a repository is selected; it comes back whole, or not at all.
 *
 * @param root absolute path of the source's folder
 * @throws KeepsakeError `E_UNSUPPORTED` when a part of it is selected: refs without their objects are no repository
 */
export function isWholeSelected(
  only: RestoreSelection,
  root: string,
  { folder, layout }: { readonly folder: string; readonly layout: Layout },
): boolean {
  const isBareRoot = layout === "bare" && folder === "";
  const place = layout === "bare" ? join(root, folder) : join(root, folder, ".git");
  const isSelected = only.has(place, "");
  if (isSelected) return true;
  const inner = isBareRoot ? partOfBareRoot(only, place) : only.within(place, "");
  if (inner === undefined) return false;
  throw new KeepsakeError(
    "E_UNSUPPORTED",
    `${JSON.stringify(inner)} is a part of the repository ${place}, which comes back as a whole or not at all.`,
    { context: { only: inner, repository: place }, hint: "Select the repository itself, or one of its working files." },
  );
}

/** Other files may lie beside git's own in the root: only those are a part of the repository. */
function partOfBareRoot(only: RestoreSelection, place: string): string | undefined {
  for (const name of GIT_NAMES) {
    const inner = only.within(join(place, name), name);
    if (inner !== undefined) return inner;
    if (only.has(join(place, name), name)) return name;
  }
  return undefined;
}
