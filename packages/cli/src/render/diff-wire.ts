import { type JsonObject, toWire } from "@keepsake/core";
import type { DiffSource } from "@keepsake/engine";

/** `toWire` leaves `details` alone, as a map of somebody else's keys; in a diff they are ours. */
export function sourcesOnWire(sources: readonly DiffSource[]): JsonObject[] {
  return sources.map((source) => ({
    ...toWire({ id: source.id, kind: source.kind, summary: source.summary }),
    items: source.items.map(({ path, change, details }) => ({
      path,
      change,
      ...(details === undefined ? {} : { details: toWire(details) }),
    })),
  }));
}
