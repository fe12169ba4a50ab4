import type { BundleStore, HealthFinding } from "@keepsake/core";
import { isTrial } from "./same-place.js";

/** What is known of a far store beside the records that lie near. */
export interface LostFar {
  /** snapshots whose record is near, and whose bundle is in neither store */
  readonly withoutBundle: number;
  /** nothing at all is in the far store */
  readonly isEmpty: boolean;
}

const RECORD = /^(.+\/[0-9a-f-]{36})\.json$/;
const BUNDLE = /^(.+\/[0-9a-f-]{36})\.tar(?:\.[A-Za-z0-9_-]+)*$/;

/** Records stay near, so they tell when a far store has lost what was moved there, or is another than it was. */
export async function lostFar(
  hot: BundleStore,
  cold: BundleStore,
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<LostFar> {
  const records = new Set<string>();
  const bundles = new Set<string>();
  let isEmpty = true;
  for await (const { key } of hot.list("", { signal })) {
    const record = RECORD.exec(key)?.[1];
    if (record !== undefined) records.add(record);
    const bundle = bundleStem(key);
    if (bundle !== undefined) bundles.add(bundle);
  }
  for await (const { key } of cold.list("", { signal })) {
    isEmpty &&= isTrial(key);
    const bundle = bundleStem(key);
    if (bundle !== undefined) bundles.add(bundle);
  }
  return { withoutBundle: [...records].filter((stem) => !bundles.has(stem)).length, isEmpty };
}

function bundleStem(key: string): string | undefined {
  return key.endsWith(".sha256") ? undefined : BUNDLE.exec(key)?.[1];
}

/** One sentence for people; undefined where nothing is amiss. */
export function lostFarMessage(
  hot: BundleStore,
  cold: BundleStore,
  { withoutBundle, isEmpty }: LostFar,
): string | undefined {
  if (withoutBundle === 0) return undefined;
  const [what, theirs] =
    withoutBundle === 1
      ? ["1 snapshot has its record", "its bundle"]
      : [`${withoutBundle} snapshots have their records`, "their bundles"];
  const emptiness = isEmpty ? ", which is empty" : "";
  return `${what} in the store ${hot.id}, and ${theirs} neither there nor in the store ${cold.id} (${cold.describe()})${emptiness}.`;
}

export function lostFarFinding(hot: BundleStore, cold: BundleStore, lost: LostFar): readonly HealthFinding[] {
  const message = lostFarMessage(hot, cold, lost);
  if (message === undefined) return [];
  return [
    {
      name: "far",
      status: "problem",
      message,
      hint: `See whether the place of ${cold.id} is mounted, and the right one. Delete none of these snapshots before: the records are what finds the bundles again.`,
      details: { store: cold.id, without_bundle: lost.withoutBundle, empty: lost.isEmpty },
    },
  ];
}
