import picomatch from "picomatch";

/** How patterns are read. */
export interface GlobOptions {
  /** true: a pattern without a slash ("*.tmp") means a name in any folder, not only at the top */
  readonly anyFolder?: boolean;
}

/** Stands for `?` on its way through picomatch, which would let it match half of a character beyond U+FFFF. */
const ANY = "\uffff";
const ANY_CHARACTER = String.raw`(?:[\ud800-\udbff][\udc00-\udfff]|[^/\ud800-\udfff])`;

/** The quick ways of picomatch are others for one glob: it would escape what stands for `?`. */
const PLAIN = { dot: true, nonegate: true, noextglob: true, fastpaths: false };

/** True of a pattern that can match another path than the one that is spelled like it. */
export function isGlob(pattern: string): boolean {
  return /[*?[\]{}\\]/.test(pattern);
}

/**
 * A test for `/`-separated relative paths. Patterns are globs (`*`, `**`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `\` before what is
 * meant as it is); all else stands for itself, a leading `!` and parentheses too, and a pattern always matches the path that
 * is spelled like it. A leading dot needs no special care; `a/**` is also `a` itself; a leading slash means the top. Without
 * patterns nothing matches.
 */
export function pathMatcher(patterns: readonly string[], options: GlobOptions = {}): (path: string) => boolean {
  const isName = (pattern: string): boolean => options.anyFolder === true && !pattern.includes("/");
  const names = patterns.filter(isName).map(globTest);
  const paths = patterns.filter((pattern) => !isName(pattern)).map((pattern) => globTest(pattern.replace(/^\//, "")));
  return (path) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    return names.some((test) => test(name)) || paths.some((test) => test(path));
  };
}

function globTest(pattern: string): (path: string) => boolean {
  if (!isGlob(pattern)) return (path) => path === pattern;
  const { source } = picomatch.makeRe(plainGlob(pattern), PLAIN);
  const regex = new RegExp(source.replaceAll(ANY, ANY_CHARACTER), "s");
  return (path) => path === pattern || regex.test(path);
}

/** Takes away what picomatch reads beyond our globs: groups, alternatives, and `?` as half a character. */
function plainGlob(pattern: string): string {
  return pattern.replace(/\\.|\[[!^]?\]?[^\]/]*\]|[()|?]/gs, (part) => {
    if (part === "?") return ANY;
    if (part.startsWith("[!")) return `[^${part.slice(2)}`;
    return part.length === 1 ? `\\${part}` : part;
  });
}
