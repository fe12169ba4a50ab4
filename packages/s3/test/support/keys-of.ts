import type { BundleStore } from "@keepsake/core";

/** All keys that a store shows below a prefix. */
export async function keysOf(store: BundleStore, prefix = ""): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}
