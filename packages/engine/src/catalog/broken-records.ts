import { type BundleStore, isKeepsakeError, type OpOptions } from "@keepsake/core";
import { type KeyParts, parseKey, TENANTS_PREFIX } from "../layout.js";
import { SnapshotCatalog } from "./snapshot-catalog.js";

/** A bundle beside which the record cannot be read. */
export interface BrokenRecord {
  /** of the record */
  readonly key: string;
  /** keys of the bundles of that id: one, unless a stranger put another there */
  readonly bundles: readonly string[];
  readonly parts: KeyParts;
}

/** Whether a record that is read with this error is no record at all; a newer program's is one. */
export function isBroken(error: unknown): boolean {
  return isKeepsakeError(error, "E_RECORD") || isKeepsakeError(error, "E_LIMIT");
}

/** The records of which nothing can be read. What they said is in their bundles. */
export async function brokenRecords(store: BundleStore, options: OpOptions): Promise<readonly BrokenRecord[]> {
  const { unreadable } = await new SnapshotCatalog(store).list(undefined, options);
  const keys = unreadable.filter(({ code }) => code === "E_RECORD" || code === "E_LIMIT").map(({ key }) => key);
  if (keys.length === 0) return [];
  const bundles = new Map<string, string[]>();
  for await (const { key } of store.list(TENANTS_PREFIX, options)) {
    const parts = parseKey(key);
    if (parts?.part !== "bundle") continue;
    bundles.set(nameOf(parts), [...(bundles.get(nameOf(parts)) ?? []), key]);
  }
  return keys.flatMap((key) => {
    const parts = parseKey(key);
    return parts === undefined ? [] : [{ key, parts, bundles: bundles.get(nameOf(parts)) ?? [] }];
  });
}

function nameOf({ tenant, agent, id }: KeyParts): string {
  return `${tenant}/${agent}/${id}`;
}
