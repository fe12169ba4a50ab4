import picomatch from "picomatch";

/** How patterns are read. */
export interface GlobOptions {
  /** true: a pattern without a slash ("*.tmp") means a name in any folder, not only at the top */
  readonly anyFolder?: boolean;
}

/**
 * A test for `/`-separated relative paths. Patterns are globs (`*`, `**`, `?`, `[a-z]`, `{a,b}`); a leading dot needs no
 * special care; `a/**` is also `a` itself; a leading slash means the top. Without patterns nothing matches.
 */
export function pathMatcher(patterns: readonly string[], options: GlobOptions = {}): (path: string) => boolean {
  // picomatch compares the last name alone with every pattern once `basename` is on, those with a slash too: "notes/*.md"
  // would match nothing. So only patterns without one get it.
  const isName = (pattern: string): boolean => options.anyFolder === true && !pattern.includes("/");
  const names = patterns.filter(isName);
  const paths = patterns.filter((pattern) => !isName(pattern)).map((pattern) => pattern.replace(/^\//, ""));
  const tests = [
    ...(names.length > 0 ? [picomatch(names, { dot: true, basename: true })] : []),
    ...(paths.length > 0 ? [picomatch(paths, { dot: true })] : []),
  ];
  return (path) => tests.some((test) => test(path));
}
