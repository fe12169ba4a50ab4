import {
  type BundleStore,
  digestOf,
  isKeepsakeError,
  KeepsakeError,
  type OpOptions,
  type SnapshotRecord,
  streamOf,
} from "@keepsake/core";
import { type BundleOrigin, originInStore } from "../bundle/bundle-origin.js";
import { sameBytes } from "../bundle/same-bytes.js";
import { digestKey } from "../layout.js";

/**
 * Puts the bytes of a snapshot back into its store, where they are missing or are no longer what its record says. The
 * record stays. The caller holds the agent's lock and has checked the file.
 *
 * @param origin the file with the right bytes; `fileSha256` is what it hashes to
 * @throws KeepsakeError `E_ALREADY_EXISTS` when the store has it, whole; or has another bundle of the same snapshot
 */
export async function healBundle(
  store: BundleStore,
  record: SnapshotRecord,
  origin: BundleOrigin,
  { fileSha256, signal }: OpOptions & { readonly fileSha256: string },
): Promise<SnapshotRecord> {
  const { id, bundlePath } = record;
  if (record.fileSha256 !== fileSha256) throw exists(id, "from another bundle of it");
  const stored = await storedDigests(store, bundlePath, signal);
  if (stored.body === fileSha256 && stored.beside === fileSha256) throw exists(id, "and whole");
  if (stored.body !== fileSha256) {
    // What is removed is not what its own record says: nothing that could be restored is lost.
    await store.delete(bundlePath, { signal });
    const { body } = await origin.open(signal);
    await store.put(bundlePath, sameBytes(body, fileSha256, origin.label), { signal });
  }
  await store.delete(digestKey(bundlePath), { signal });
  await store.put(digestKey(bundlePath), streamOf(`${fileSha256}\n`), { signal });
  return record;
}

/**
 * Makes room for a bundle that has no record yet: what an import that a crash ended left under its name is the same bytes,
 * and goes; the caller writes them anew. The caller holds the agent's lock.
 *
 * @throws KeepsakeError `E_ALREADY_EXISTS` when other bytes have the name: they may be all there is of a snapshot
 */
export async function clearUnfinishedImport(
  store: BundleStore,
  key: string,
  id: string,
  { fileSha256, signal }: OpOptions & { readonly fileSha256: string },
): Promise<void> {
  const stored = await storedDigests(store, key, signal);
  if (stored.body !== undefined && stored.body !== fileSha256) {
    throw new KeepsakeError("E_ALREADY_EXISTS", `The store has another bundle of ${id}, without a record.`, {
      context: { id, key },
      hint: "`keepsake doctor --reindex` gives it a record if it is whole; else `keepsake recover` removes it after a day.",
    });
  }
  await store.delete(key, { signal });
  await store.delete(digestKey(key), { signal });
}

async function storedDigests(store: BundleStore, bundlePath: string, signal: AbortSignal | undefined) {
  const origin = originInStore(store, bundlePath);
  return {
    body: await orUndefined(async () => (await digestOf((await origin.open(signal)).body)).sha256),
    beside: await orUndefined(() => origin.recordedDigest(signal)),
  };
}

/** Undefined for what is missing or malformed. */
async function orUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isKeepsakeError(error, "E_NOT_FOUND") || isKeepsakeError(error, "E_INTEGRITY")) return undefined;
    throw error;
  }
}

function exists(id: string, how: string): KeepsakeError {
  return new KeepsakeError("E_ALREADY_EXISTS", `The snapshot ${id} is in the store already, ${how}.`, {
    context: { id },
  });
}
