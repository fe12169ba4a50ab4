import { isJsonObject, type JsonObject, type JsonValue } from "@keepsake/core";
import { z } from "zod";
import type { PluginRegistry, RegisteredProvider } from "../plugins/registry.js";
import { configShape } from "./schema.js";

const DIALECT = "draft-2020-12";

/** What a schema that describes itself adds (Standard JSON Schema: standardschema.dev/json-schema). */
interface SelfDescribing {
  readonly jsonSchema?: { readonly input?: (options: { readonly target: string }) => unknown };
}

/** The JSON Schema of the configuration alone: options of providers are left open. */
export function shapeSchema(): JsonObject {
  return z.toJSONSchema(configShape, { io: "input", unrepresentable: "any" }) as JsonObject;
}

/** The JSON Schema of a provider's options; undefined when its schema does not describe itself. */
export function optionsSchema({ provider }: RegisteredProvider): JsonObject | undefined {
  if (!provider.options) return { type: "object", properties: {}, additionalProperties: false };
  const standard = provider.options["~standard"] as SelfDescribing;
  try {
    const described = standard.jsonSchema?.input?.({ target: DIALECT });
    return isJsonObject(described) ? described : undefined;
  } catch {
    // A schema may hold what JSON Schema cannot say; it still checks, it is only not described.
    return undefined;
  }
}

/**
 * The JSON Schema (2020-12) of the configuration, with the options of every loaded provider composed in: an entry of
 * `sources` is one of the sources there are.
 */
export function composedSchema(registry: PluginRegistry): JsonObject {
  const schema = shapeSchema();
  const definitions = { ...objectAt(schema, "$defs") };
  for (const kind of ["source", "state", "codec", "store", "redaction", "events"] as const) {
    const own = objectAt(definitions, kind);
    const variants = registry.all(kind).map((found) => variantOf(own, found));
    if (variants.length > 0) definitions[kind] = { oneOf: variants };
  }
  for (const [key, kind] of [
    ["lock", "lock"],
    ["encryption", "codec"],
  ] as const) {
    const own = objectAt(definitions, key);
    definitions[key] = {
      ...own,
      properties: {
        ...objectAt(own, "properties"),
        use: { ...objectAt(objectAt(own, "properties"), "use"), enum: [...registry.names(kind)] },
      },
    };
  }
  const properties = { ...objectAt(schema, "properties") };
  properties["preset"] = { ...objectAt(properties, "preset"), enum: [...registry.presetNames()] };
  return { title: "Keepsake configuration", ...schema, properties, $defs: definitions };
}

/** One `use` with its options: the entry's own keys and the provider's in one closed object. */
function variantOf(own: JsonObject, found: RegisteredProvider): JsonObject {
  const { $schema: _dialect, ...body }: JsonObject = optionsSchema(found) ?? { type: "object", properties: {} };
  const required = Array.isArray(body["required"]) ? (body["required"] as readonly JsonValue[]) : [];
  return {
    ...body,
    description: `From the plugin ${found.plugin}.`,
    properties: {
      ...objectAt(own, "properties"),
      use: { const: found.provider.name },
      ...objectAt(body, "properties"),
    },
    required: ["use", ...required],
  };
}

function objectAt(value: JsonObject, key: string): JsonObject {
  const found = value[key];
  return found !== undefined && isJsonObject(found) ? found : {};
}

/** The keys a JSON Schema knows at a path; empty where it knows none or takes any. */
export function knownKeys(schema: JsonObject, path: readonly PropertyKey[]): readonly string[] {
  const node = path.reduce<JsonObject>((at, key) => step(schema, at, key), schema);
  return Object.keys(objectAt(followed(schema, node), "properties"));
}

function followed(root: JsonObject, node: JsonObject): JsonObject {
  const reference = node["$ref"];
  if (typeof reference !== "string" || !reference.startsWith("#/$defs/")) return node;
  return objectAt(objectAt(root, "$defs"), reference.slice("#/$defs/".length));
}

function step(root: JsonObject, node: JsonObject, key: PropertyKey): JsonObject {
  const at = followed(root, node);
  if (typeof key === "number") return objectAt(at, "items");
  const property = objectAt(at, "properties")[String(key)];
  return property !== undefined && isJsonObject(property) ? property : objectAt(at, "additionalProperties");
}
