import { type BundleStore, digestOf, HashedStream, isKeepsakeError } from "@keepsake/core";
import type { Part } from "./part.js";

/**
 * Moves one object: copy, read back, delete. At every instant at least one of the stores has it whole, so that a crash
 * loses nothing, and the next call finds the copy there and goes on.
 *
 * @returns false when it was not moved: it is gone, the far store failed, or has other bytes of that name, which is told
 */
export async function moveObject(
  key: string,
  from: BundleStore,
  to: Part,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    const sent = await copy(key, from, to, signal);
    const arrived = await digestOf((await to.store.get(key, { signal })).body);
    if (arrived.sha256 !== sent) {
      to.differs(`The store ${to.name} has another ${JSON.stringify(key)} than ${from.id}; both stay.`);
      return false;
    }
    // Who deleted it meanwhile saw nothing there yet: it must not come back.
    if (await from.head(key, { signal })) {
      await from.delete(key, { signal });
      return true;
    }
    await to.store.delete(key, { signal });
    return false;
  } catch (error) {
    signal?.throwIfAborted();
    if (!isKeepsakeError(error, "E_NOT_FOUND")) to.failed(error);
    return false;
  }
}

/** @returns the digest of the object that is to be there; it is there already where a crash ended an earlier move */
async function copy(key: string, from: BundleStore, to: Part, signal: AbortSignal | undefined): Promise<string> {
  const body = async () => (await from.get(key, { signal })).body;
  if (await to.store.head(key, { signal })) return (await digestOf(await body())).sha256;
  const hashed = new HashedStream(await body());
  await to.store.put(key, hashed, { signal });
  return hashed.digest.sha256;
}
