import type { HealthFinding, StoredObject } from "@keepsake/core";
import type { Group } from "./group.js";
import type { Part } from "./part.js";
import { elect, isSmall } from "./small-copies.js";
import { isStale, type StaleNotes } from "./stale-notes.js";
import type { Copy } from "./survey.js";

/** The objects of each part that can be reached, by key. */
export type Held = ReadonlyMap<Part, ReadonlyMap<string, StoredObject>>;

type Notes = Awaited<ReturnType<StaleNotes["all"]>>;

/**
 * Which parts have other copies than most: by size, and of records and digests by what they say. Bundles are not read here:
 * `keepsake sync --deep` does that.
 */
export async function differences(
  group: Group,
  held: Held,
  notes: Notes,
  signal: AbortSignal | undefined,
): Promise<readonly HealthFinding[]> {
  const differing = new Map<Part, { readonly key: string; readonly like: Part }[]>();
  for (const [key, copies] of copiesByKey(held, notes)) {
    const { right, wrong } = await judged(group, key, copies, signal);
    const [like] = right;
    if (like === undefined) continue;
    for (const { part } of wrong) differing.set(part, [...(differing.get(part) ?? []), { key, like: like.part }]);
  }
  return [...differing].flatMap(([part, objects]) => differingFinding(part, objects));
}

function copiesByKey(held: Held, notes: Notes): ReadonlyMap<string, readonly Copy[]> {
  const copies = new Map<string, Copy[]>();
  for (const [part, objects] of held) {
    for (const object of objects.values()) {
      if (isStale(object, notes.get(part.name)?.get(object.key))) continue;
      copies.set(object.key, [...(copies.get(object.key) ?? []), { part, object }]);
    }
  }
  return copies;
}

interface Judged {
  readonly right: readonly Copy[];
  readonly wrong: readonly Copy[];
}

async function judged(
  group: Group,
  key: string,
  copies: readonly Copy[],
  signal: AbortSignal | undefined,
): Promise<Judged> {
  const elected = isSmall(key) && copies.length > 1 ? await elect(group, key, copies, signal) : undefined;
  return elected ?? bySize(copies);
}

/** Those of the size that most of them have; of sizes that are equally frequent the first. */
export function bySize(copies: readonly Copy[]): Judged {
  const sizes = new Map<number, number>();
  for (const { object } of copies) sizes.set(object.sizeBytes, (sizes.get(object.sizeBytes) ?? 0) + 1);
  const [[size] = [0]] = [...sizes].toSorted((a, b) => b[1] - a[1]);
  return {
    right: copies.filter(({ object }) => object.sizeBytes === size),
    wrong: copies.filter(({ object }) => object.sizeBytes !== size),
  };
}

function differingFinding(
  { name, store }: Part,
  objects: readonly { readonly key: string; readonly like: Part }[],
): readonly HealthFinding[] {
  const [first] = objects;
  if (first === undefined) return [];
  const more = objects.length === 1 ? "" : `, and ${objects.length - 1} more`;
  return [
    {
      name: "replica",
      status: "problem",
      message: `The store ${name} (${store.describe()}) has another ${first.key} than the others${more}.`,
      hint: `\`keepsake sync ${first.like.name} ${name}\` puts right what is damaged in one of them.`,
      details: { store: name, like: first.like.name, keys: objects.slice(0, 100).map(({ key }) => key) },
    },
  ];
}
