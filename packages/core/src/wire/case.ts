import { isJsonObject, type JsonObject, type JsonValue } from "../json.js";

const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (key: string): string => key.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());

/** Keys whose value is a map with keys of the user's or of another program: those inner keys are left alone. */
const MAPS = new Set(["schemaVersions", "toolVersions", "facts", "context", "rowCounts", "reasons", "data", "details"]);

/** What becomes of a key: its new name, and whether its value is left alone. */
interface Key {
  readonly name: string;
  readonly isMap: boolean;
}

/** The keys of one value, each looked at once: a large manifest has a dozen of them ten thousand times. */
class Keys {
  readonly #known = new Map<string, Key>();
  readonly #keyOf: (key: string) => Key;

  constructor(keyOf: (key: string) => Key) {
    this.#keyOf = keyOf;
  }

  of(key: string): Key {
    const known = this.#known.get(key) ?? this.#keyOf(key);
    this.#known.set(key, known);
    return known;
  }
}

function convert(value: JsonValue, keys: Keys): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => convert(item, keys));
  if (!isJsonObject(value)) return value;
  const out: Record<string, JsonValue> = {};
  for (const [key, item] of Object.entries(value) as [string, JsonValue | undefined][]) {
    if (item === undefined) continue;
    const { name, isMap } = keys.of(key);
    const converted = isMap ? item : convert(item, keys);
    // A key "__proto__" from outside must become a plain property, not the prototype.
    if (name === "__proto__") Object.defineProperty(out, name, { value: converted, ...PLAIN });
    else out[name] = converted;
  }
  return out;
}

const PLAIN = { enumerable: true, configurable: true, writable: true };

/**
 * The wire form of a value of ours: every key in snake_case, members that are undefined dropped.
 * This and {@link fromWire} are the one place where code's camelCase and the wire's snake_case meet.
 */
export function toWire(value: object): JsonObject {
  return convert(value as JsonObject, new Keys((key) => ({ name: snake(key), isMap: MAPS.has(key) }))) as JsonObject;
}

/** The camelCase form of a JSON object from the wire; not yet checked. */
export function fromWire(value: JsonObject): JsonObject {
  const keys = new Keys((key) => {
    const name = camel(key);
    return { name, isMap: MAPS.has(name) };
  });
  return convert(value, keys) as JsonObject;
}
