/** Any value that JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** True for a JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Deeper JSON than this, in levels of objects and arrays, is refused where it comes from outside. */
export const MAX_JSON_DEPTH = 200;

/** True when objects and arrays stand in one another more than `levels` deep. Needs no stack. */
export function isDeeperThan(value: JsonValue, levels: number): boolean {
  let level: readonly JsonValue[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const inner: JsonValue[] = [];
    for (const item of level) {
      if (typeof item !== "object" || item === null) continue;
      if (depth >= levels) return true;
      for (const child of Object.values<JsonValue>(item)) inner.push(child);
    }
    level = inner;
  }
  return false;
}
