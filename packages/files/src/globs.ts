import picomatch from "picomatch";

/** How patterns are read. */
export interface GlobOptions {
  /** true: a pattern without a slash ("*.tmp") means a name in any folder, not only at the top */
  readonly anyFolder?: boolean;
}

/**
 * A test for `/`-separated relative paths. Patterns are globs (`*`, `**`, `?`, `[a-z]`, `{a,b}`); a leading dot needs no
 * special care; `a/**` is also `a` itself. Without patterns nothing matches.
 */
export function pathMatcher(patterns: readonly string[], options: GlobOptions = {}): (path: string) => boolean {
  if (patterns.length === 0) return () => false;
  return picomatch([...patterns], { dot: true, basename: options.anyFolder === true });
}
