/** A glob as a pattern: `*` is anything within a part, `**` anything, `?` one character. */
export function globPattern(glob: string, separator: "/" | "."): RegExp {
  const part = `[^${separator === "." ? "\\." : separator}]`;
  const source = glob.replaceAll(/\*\*\/?|\*|\?|[\\^$.+()[\]{}|]/g, (found) => {
    if (found.startsWith("**")) return found.endsWith("/") ? "(?:.*/)?" : ".*";
    if (found === "*") return `${part}*`;
    return found === "?" ? part : `\\${found}`;
  });
  return new RegExp(`^${source}$`, "s");
}
