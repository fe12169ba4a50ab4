import { isJsonObject, type JsonObject, type JsonValue } from "../json.js";

const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (key: string): string => key.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());

/** Keys whose value is a map with keys of the user's or of another program: those inner keys are left alone. */
const MAPS = new Set(["schemaVersions", "toolVersions", "facts", "context", "rowCounts", "reasons", "data", "details"]);

function convert(value: JsonValue, rename: (key: string) => string, isMap: (key: string) => boolean): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => convert(item, rename, isMap));
  if (!isJsonObject(value)) return value;
  const out: Record<string, JsonValue> = {};
  for (const [key, item] of Object.entries(value) as [string, JsonValue | undefined][]) {
    if (item === undefined) continue;
    const name = rename(key);
    // defineProperty: a key "__proto__" from outside must become a plain property, not the prototype.
    Object.defineProperty(out, name, {
      value: isMap(key) ? item : convert(item, rename, isMap),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return out;
}

/**
 * The wire form of a value of ours: every key in snake_case, members that are undefined dropped.
 * This and {@link fromWire} are the one place where code's camelCase and the wire's snake_case meet.
 */
export function toWire(value: object): JsonObject {
  return convert(value as JsonObject, snake, (key) => MAPS.has(key)) as JsonObject;
}

/** The camelCase form of a JSON object from the wire; not yet checked. */
export function fromWire(value: JsonObject): JsonObject {
  return convert(value, camel, (key) => MAPS.has(camel(key))) as JsonObject;
}
