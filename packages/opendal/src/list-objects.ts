import { isKeepsakeError, type OpOptions, type StoredObject } from "@keepsake/core";
import type { Entry } from "opendal";
import type { ObjectFacts } from "./object-facts.js";
import { folderOf, keyOf } from "./object-names.js";
import type { Service } from "./service.js";

const SENTENCE = "The store could not be listed";

/** All that lies below a folder ("" or with a slash at its end), in whatever order the service has. */
export async function entriesBelow(service: Service, folder: string, options: OpOptions): Promise<readonly Entry[]> {
  for (let attempt = 1; ; attempt++) {
    const entries: Entry[] = [];
    try {
      for await (const entry of listed(service, folder, options)) entries.push(entry);
      return entries;
    } catch (error) {
      // There is no such folder, or what is called so is an object. Behind others it would be the end of half a listing.
      if (isKeepsakeError(error, "E_NOT_FOUND") && entries.length === 0) return [];
      if (!(await service.mayTryAgain(error, attempt, options))) throw error;
    }
  }
}

/**
 * Without the library's own retries: after a failure its lister goes on behind the folder that could not be listed, and what
 * lies there, or all of it, would be missing without a word.
 */
async function* listed(service: Service, folder: string, { signal }: OpOptions): AsyncGenerator<Entry> {
  const call = { sentence: SENTENCE, isOnce: true, ...(signal && { signal }) };
  const lister = await service.call(call, (operator) => operator.lister(folder, { recursive: true }));
  for (;;) {
    const entry = await service.call(call, () => lister.next());
    if (entry === null) return;
    yield entry;
  }
}

/** The objects under a prefix in the order of their keys. Services have orders of their own: the keys are held in memory. */
export async function* listObjects(
  service: Service,
  facts: ObjectFacts,
  prefix: string,
  { signal }: OpOptions,
): AsyncGenerator<StoredObject> {
  const folder = folderOf(prefix);
  if (folder === undefined) return;
  const options = signal === undefined ? {} : { signal };
  const found: { readonly key: string; readonly bytes: Buffer; readonly entry: Entry }[] = [];
  for (const entry of await entriesBelow(service, folder, options)) {
    const key = keyOf(entry.path());
    if (key?.startsWith(prefix) === true) found.push({ key, bytes: Buffer.from(key), entry });
  }
  found.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  for (const { key, entry } of found) {
    signal?.throwIfAborted();
    const metadata = entry.metadata();
    // Of files in a folder a listing tells only the names.
    const known =
      metadata.lastModified === null
        ? await facts.find(key, entry.path(), options)
        : facts.of(key, entry.path(), metadata);
    if (known !== undefined) yield known.object;
  }
}
