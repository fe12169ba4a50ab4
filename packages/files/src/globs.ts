import picomatch from "picomatch";

/**
 * A test for `/`-separated relative paths. Patterns are globs (`*`, `**`, `?`, `[a-z]`, `{a,b}`); a leading dot needs no
 * special care. Without patterns nothing matches.
 */
export function pathMatcher(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  return picomatch([...patterns], { dot: true });
}
