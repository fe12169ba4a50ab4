import {
  canonicalJson,
  type DiffItem,
  isJsonObject,
  type JsonValue,
  type SourceDiff,
  type StateItem,
} from "@keepsake/core";

/** Compares state values by JSON path (RFC 9535 normalized paths, after the key: `cursor$['offset']`). */
export function diffState(before: readonly StateItem[], after: readonly StateItem[]): SourceDiff {
  const old = new Map(before.map(({ key, value }) => [key, value]));
  const now = new Map(after.map(({ key, value }) => [key, value]));
  const items: DiffItem[] = [];
  for (const key of [...new Set([...old.keys(), ...now.keys()])].sort()) {
    items.push(...compare(`${key}$`, old.get(key), now.get(key)));
  }
  return { items, summary: { valuesChanged: items.length } };
}

function* compare(path: string, before: JsonValue | undefined, after: JsonValue | undefined): Generator<DiffItem> {
  if (before === undefined && after === undefined) return;
  if (before === undefined) yield { path, change: "added" };
  else if (after === undefined) yield { path, change: "removed" };
  else if (isJsonObject(before) && isJsonObject(after)) yield* compareObjects(path, before, after);
  else if (Array.isArray(before) && Array.isArray(after)) yield* compareArrays(path, before, after);
  else if (canonicalJson(before) !== canonicalJson(after)) yield { path, change: "changed" };
}

function* compareObjects(
  path: string,
  before: Readonly<Record<string, JsonValue>>,
  after: Readonly<Record<string, JsonValue>>,
): Generator<DiffItem> {
  const own = (object: Readonly<Record<string, JsonValue>>, key: string) =>
    Object.hasOwn(object, key) ? object[key] : undefined;
  for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const name = key.replaceAll("\\", "\\\\").replaceAll("'", "\\'");
    yield* compare(`${path}['${name}']`, own(before, key), own(after, key));
  }
}

function* compareArrays(path: string, before: readonly JsonValue[], after: readonly JsonValue[]): Generator<DiffItem> {
  for (let index = 0; index < Math.max(before.length, after.length); index++) {
    yield* compare(`${path}[${String(index)}]`, before[index], after[index]);
  }
}
