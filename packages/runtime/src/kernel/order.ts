/** A part and the keys of the parts that must be ready before it. */
export interface Dependent {
  readonly key: string;
  readonly needs: readonly string[];
}

/** Either the parts, each after what it needs; or the keys of a circle: first and last are the same. */
export type Ordering<T> = { readonly order: readonly T[] } | { readonly cycle: readonly string[] };

/**
 * Sorts parts so that each comes after what it needs; otherwise they keep their order. Needs that none of the parts
 * has the key of are left to the caller.
 */
export function orderByNeeds<T extends Dependent>(parts: readonly T[]): Ordering<T> {
  const byKey = new Map(parts.map((part) => [part.key, part]));
  const done = new Set<string>();
  const order: T[] = [];

  const visit = (part: T, path: readonly string[]): readonly string[] | undefined => {
    if (done.has(part.key)) return undefined;
    const start = path.indexOf(part.key);
    if (start >= 0) return [...path.slice(start), part.key];
    for (const need of part.needs) {
      const needed = byKey.get(need);
      const cycle = needed && visit(needed, [...path, part.key]);
      if (cycle) return cycle;
    }
    done.add(part.key);
    order.push(part);
    return undefined;
  };

  for (const part of parts) {
    const cycle = visit(part, []);
    if (cycle) return { cycle };
  }
  return { order };
}
