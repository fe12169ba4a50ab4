import { type BundleStore, isKeepsakeError } from "@keepsake/core";
import { chunked, collect } from "@keepsake/testkit";

export const put = (store: BundleStore, key: string, text: string) => store.put(key, chunked(text, 3));

export async function text(store: BundleStore, key: string): Promise<string> {
  return Buffer.from(await collect((await store.get(key)).body)).toString();
}

export async function keys(store: BundleStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list("")) found.push(key);
  return found;
}

/** The code that work fails with; "none" when it does not. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return isKeepsakeError(error) ? error.code : String(error);
  }
  return "none";
}
