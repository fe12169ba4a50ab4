import { orderByNeeds } from "../kernel/order.js";
import { storesNamed } from "../kernel/needs.js";
import type { Check } from "./check.js";
import { isUse, type Loose, record } from "./loose.js";
import { optionsOf } from "./provider-options.js";
import type { UseEntry } from "./schema.js";
import { unknownName } from "./suggestion.js";

type Path = readonly PropertyKey[];

/** Stores that are made of each other. */
export interface StoreCycle {
  /** where one of them is in the file */
  readonly path: Path;
  /** first and last are the same */
  readonly cycle: readonly string[];
}

/** The stores that can be named at one place, each with where it is written. */
type Scope = ReadonlyMap<string, { readonly entry: UseEntry; readonly path: Path }>;

/**
 * Checks that every store which another is made of exists where that one is, and finds circles. An agent's own stores stand
 * beside and instead of those of the template and of the top level.
 */
export async function checkStoreParts(root: Loose, check: Check): Promise<readonly StoreCycle[]> {
  const agents = record(root["agents"]);
  // Without any, there is the default one; it is made of no other.
  const top = scopeOf(["stores"], root["stores"] ?? { primary: { use: "" } });
  const template = scopeOf(["agents", "*", "stores"], record(agents["*"])["stores"]);
  const scopes = Object.entries(agents)
    .filter(([, agent]) => record(agent)["stores"] !== undefined)
    .map(
      ([name, agent]) =>
        new Map([...top, ...template, ...scopeOf(["agents", name, "stores"], record(agent)["stores"])]),
    );
  const cycles: StoreCycle[] = [];
  const told = new Set<string>();
  for (const scope of [top, ...scopes]) {
    const cycle = await checkScope(scope, check, told);
    if (cycle && !cycles.some((known) => known.cycle.join() === cycle.cycle.join())) cycles.push(cycle);
  }
  return cycles;
}

function scopeOf(path: Path, stores: unknown): Scope {
  return new Map(
    Object.entries(record(stores)).flatMap(([name, entry]) =>
      isUse(entry) ? [[name, { entry, path: [...path, name] }]] : [],
    ),
  );
}

async function checkScope(
  scope: Scope,
  { registry, problems, timeoutMs, broken }: Check,
  told: Set<string>,
): Promise<StoreCycle | undefined> {
  const stores: { readonly key: string; readonly needs: readonly string[] }[] = [];
  for (const [key, { entry, path }] of scope) {
    const found = registry.find("store", entry.use);
    const isAsked = found !== undefined && !broken.has(found.provider);
    const needs = isAsked ? await storesNamed(found, optionsOf("store", entry), timeoutMs) : [];
    stores.push({ key, needs });
    for (const need of needs.filter((name) => !scope.has(name))) {
      // What agents inherit is wrong once, whatever other stores each of them has.
      const place = [...path, ...placeOf(need, entry)];
      const mistake = JSON.stringify([...place.map(String), need]);
      if (told.has(mistake)) continue;
      told.add(mistake);
      problems.add(
        place,
        unknownName(
          "store",
          need,
          [...scope.keys()].filter((name) => name !== key),
        ),
      );
    }
  }
  const sorted = orderByNeeds(stores);
  if ("order" in sorted) return undefined;
  return { path: scope.get(sorted.cycle[0] ?? "")?.path ?? [], cycle: sorted.cycle };
}

/** Where a value stands in an entry: its provider tells the names of stores, and not where it has them from. */
function placeOf(value: string, within: unknown): Path {
  if (typeof within !== "object" || within === null) return [];
  for (const [key, item] of Object.entries(within)) {
    if (key === "use") continue;
    const step = Array.isArray(within) ? Number(key) : key;
    if (item === value) return [step];
    const deeper = placeOf(value, item);
    if (deeper.length > 0) return [step, ...deeper];
  }
  return [];
}
