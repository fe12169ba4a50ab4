import type { DatabasePair, DiffLine } from "../protocol.js";
export function diffDatabases(_p: DatabasePair): DiffLine[] {
  return [];
}
