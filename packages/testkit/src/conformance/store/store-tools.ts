import { type BundleStore, type ByteRange, parseArtifactPath, type StoredObject } from "@keepsake/core";
import { gathered } from "../bodies.js";
import { check, failsWith, same } from "../expectations.js";
import { chunked } from "../../streams.js";

/** All bytes of an object, or of a range of it. */
export async function bytesOf(store: BundleStore, key: string, range?: ByteRange): Promise<Uint8Array> {
  return gathered((await store.get(key, range === undefined ? {} : { range })).body);
}

export async function textOf(store: BundleStore, key: string, range?: ByteRange): Promise<string> {
  return Buffer.from(await bytesOf(store, key, range)).toString();
}

export async function objectsIn(store: BundleStore, prefix = ""): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const object of store.list(prefix)) objects.push(object);
  return objects;
}

export async function keysIn(store: BundleStore, prefix = ""): Promise<string[]> {
  return (await objectsIn(store, prefix)).map(({ key }) => key);
}

/** Puts a text under each key; for one that is a pair, the second. Sixteen at a time: a store may be far away. */
export async function putAll(store: BundleStore, keys: readonly string[], text?: string): Promise<void> {
  const left = keys.map((key) => parseArtifactPath(key));
  const lane = async (): Promise<void> => {
    for (let key = left.pop(); key !== undefined; key = left.pop()) await store.put(key, chunked(text ?? key));
  };
  await Promise.all(Array.from({ length: 16 }, lane));
}

/** Nobody sees an object of this key. */
export async function expectInvisible(store: BundleStore, key: string, when: string): Promise<void> {
  same(await store.head(key), undefined, `\`head\` shows the object ${when}.`);
  await failsWith("E_NOT_FOUND", readIt(store, key), `\`get\` of an object that is not visible ${when}.`);
  check(!(await keysIn(store)).includes(key), `\`list\` shows the object ${when}.`);
}

async function readIt(store: BundleStore, key: string): Promise<unknown> {
  return bytesOf(store, key);
}

/** Ascending order of the UTF-8 bytes. */
export function inByteOrder(keys: readonly string[]): string[] {
  return [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
