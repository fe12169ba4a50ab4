import { KeepsakeError } from "@keepsake/core";
import { pathMatcher } from "@keepsake/files";

/** What one `only` is about: the paths of the live memory, or one source's folder in the bundle. */
export interface Pattern {
  /** as the user wrote it */
  readonly text: string;
  /** undefined: the path is one of the live memory */
  readonly source: string | undefined;
  /** true for all there is: a whole source, or the whole memory */
  readonly whole: boolean;
  /** the path itself, or a folder it lies in */
  matches(path: string): boolean;
  /** names something below the path, by a name of the path's own, and not the path itself */
  reachesInto(path: string): boolean;
}

/**
 * Reads one pattern. Its first name is a source's id, or it is a path of the memory; "./" before it makes it the latter.
 *
 * @param ids of the sources, and of the state values
 * @throws KeepsakeError `E_USAGE` when it is empty, absolute, or leads out
 */
export function parsePattern(text: string, ids: ReadonlySet<string>): Pattern {
  const segments = text.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (text === "" || text.includes("\0") || text.startsWith("/") || segments.includes("..")) throw malformed(text);
  const [first = ""] = segments;
  const isOfSource = !/^\.(?:\/|$)/.test(text) && ids.has(first);
  const source = isOfSource ? first : undefined;
  const names = isOfSource ? segments.slice(1) : segments;
  return { text, source, ...testsOf(names) };
}

function testsOf(names: readonly string[]): Pick<Pattern, "whole" | "matches" | "reachesInto"> {
  const glob = names.join("/");
  if (glob === "" || glob === "**") return { whole: true, matches: () => true, reachesInto: () => false };
  const isIt = pathMatcher([glob]);
  const matches = (path: string): boolean => upwards(path).some(isIt);
  const reachesInto = (path: string): boolean => {
    const own = path === "" ? [] : path.split("/");
    if (names.length <= own.length || matches(path)) return false;
    const start = names.slice(0, own.length);
    // By its name: what any name would fit is not meant to reach into this one.
    return own.length === 0 || (start.at(-1) === own.at(-1) && pathMatcher([start.join("/")])(path));
  };
  return { whole: false, matches, reachesInto };
}

/** "a/b/c" → "a/b/c", "a/b", "a". */
function upwards(path: string): string[] {
  const all: string[] = [];
  for (let at = path; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) all.push(at);
  return all;
}

function malformed(text: string): KeepsakeError {
  return new KeepsakeError("E_USAGE", `${JSON.stringify(text)} is no path or pattern of what is to be restored.`, {
    context: { only: text },
    hint: "Use a source's id, or a path relative to the memory directory, without `..`.",
  });
}
