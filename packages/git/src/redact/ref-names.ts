import type { FileMap } from "../repository/file-map.js";
import type { RepositoryFormat } from "../repository/format.js";
import { readRefs } from "../repository/refs.js";
import type { ContentRedactor } from "./content-redactor.js";

const NAMESPACE = /^refs\/(?:heads|tags|notes|remotes|[^/]+)\//;

/** New names of the refs whose name holds a secret. Git refuses brackets and colons in one: `REDACTED-<rule>` it is. */
export class RefNames {
  readonly #renamed = new Map<string, string>();
  /** old and new, without `refs/heads/` and the like, the longest first: as texts name them */
  readonly #short: readonly (readonly [string, string])[];

  /** @param names all there are, full */
  constructor(names: Iterable<string>, redactor: ContentRedactor) {
    const sorted = [...new Set(names)].sort();
    const found = sorted.flatMap((name) => {
      const space = NAMESPACE.exec(name)?.[0] ?? "";
      const rest = name.slice(space.length);
      const redacted = redactor.name(rest, name);
      return redacted === rest ? [] : [[name, space + asRefName(redacted)] as const];
    });
    const renamed = new Set(found.map(([name]) => name));
    const taken = new Set(sorted.filter((name) => !renamed.has(name)));
    for (const [name, wanted] of found) {
      const free = freeName(wanted, taken);
      taken.add(free);
      this.#renamed.set(name, free);
    }
    this.#short = [...this.#renamed]
      .map(([from, to]) => [shortName(from), shortName(to)] as const)
      .sort(([a], [b]) => b.length - a.length || (a < b ? -1 : 1));
  }

  get count(): number {
    return this.#renamed.size;
  }

  /** @param name full */
  of(name: string): string {
    return this.#renamed.get(name) ?? name;
  }

  /** The name that a tag object gives itself. */
  ofTag(name: string): string {
    return shortName(this.of(`refs/tags/${name}`));
  }

  /** A text with the new names instead of the old. */
  within(text: string): string {
    return this.#short.reduce((changed, [from, to]) => changed.replaceAll(from, to), text);
  }
}

/** The names of all refs of a git directory, also of those that lead nowhere. */
export function namesIn(files: FileMap, { kind }: RepositoryFormat): readonly string[] {
  const { byName, broken, head } = readRefs(files, kind);
  return [...byName.keys(), ...broken, ...(head.ref === undefined ? [] : [head.ref])];
}

function shortName(name: string): string {
  return name.replace(NAMESPACE, "");
}

/** What git takes for a name (source: git-check-ref-format(1)). */
function asRefName(redacted: string): string {
  return redacted
    .replaceAll(/\[(REDACTED:[^\]]*)\]/g, (_, inner: string) => inner.replaceAll(/[^A-Za-z0-9_-]/g, "-"))
    .replaceAll(/[~^:?*[\\\s\p{Cc}]/gu, "-");
}

/** Neither another ref's name nor a folder of one. */
function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${String(number)}`;
    const clashes = [...taken].some((one) => one === name || one.startsWith(`${name}/`) || name.startsWith(`${one}/`));
    if (!clashes) return name;
  }
}
