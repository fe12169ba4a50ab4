import type { UseEntry } from "./schema.js";

/** An object of a configuration that may be malformed. */
export type Loose = Readonly<Record<string, unknown>>;

export function record(value: unknown): Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function isUse(value: unknown): value is UseEntry {
  return typeof record(value)["use"] === "string";
}
