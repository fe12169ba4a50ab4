/**
 * Where stores that hold copies of each other note which of them missed something. The object
 * `keepsake-stale/<store>/<key>.stale` in one store says: what the store called `<store>` holds under `<key>` is out of date, if it
 * is older than this note. Its holder was down when the key was deleted or replaced.
 */
export const STALE_PREFIX = "keepsake-stale/";

/** In a store of files `a` and `a/b` cannot both be objects, but notes about them have to be. */
const SUFFIX = ".stale";

/** The key of such a note. */
export function staleKey(store: string, key: string): string {
  return `${STALE_PREFIX}${store}/${key}${SUFFIX}`;
}

/** What such a note is about; undefined for the key of anything else. */
export function parseStaleKey(note: string): { readonly store: string; readonly key: string } | undefined {
  if (!note.startsWith(STALE_PREFIX) || !note.endsWith(SUFFIX)) return undefined;
  const rest = note.slice(STALE_PREFIX.length, -SUFFIX.length);
  const cut = rest.indexOf("/");
  return cut <= 0 ? undefined : { store: rest.slice(0, cut), key: rest.slice(cut + 1) };
}
