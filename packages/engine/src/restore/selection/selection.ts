import { isAbsolute, relative } from "node:path";
import { KeepsakeError, type PathClaim, type RestoreSelection } from "@keepsake/core";
import { STATE_FOLDER } from "../../snapshot/stage-state.js";
import { nearNames } from "./near-names.js";
import { parsePattern, type Pattern } from "./pattern.js";

/** What a restore is limited to, over all sources; and, once the sources were asked, what of it there is. */
export class Selection {
  readonly #patterns: readonly Pattern[];
  readonly #memory: string;
  readonly #met = new Set<Pattern>();
  readonly #taken = new Map<string, Set<string>>();

  /**
   * @param only patterns, at least one
   * @param sourceIds of the configured sources and those of the bundle
   * @param memory absolute path
   * @throws KeepsakeError `E_USAGE`
   */
  constructor(only: readonly string[], sourceIds: Iterable<string>, memory: string) {
    const ids = new Set([...sourceIds, STATE_FOLDER]);
    this.#patterns = only.map((text) => parsePattern(text, ids));
    this.#memory = memory;
  }

  /** True when a pattern is about this source by its id. */
  names(source: string): boolean {
    return this.#patterns.some((pattern) => pattern.source === source);
  }

  /** True when the whole source is selected by its id. */
  isWhole(source: string): boolean {
    return this.#patterns.some((pattern) => pattern.source === source && pattern.whole);
  }

  /** True when a source may have something that is selected: it has to be asked. */
  mayConcern(source: string): boolean {
    return this.#patterns.some((pattern) => pattern.source === undefined || pattern.source === source);
  }

  /** True when patterns stand for paths of the memory, whosever they are. */
  get hasPaths(): boolean {
    return this.#patterns.some((pattern) => pattern.source === undefined);
  }

  /** True when all of the memory is selected, whosever it is. */
  get hasWholeMemory(): boolean {
    return this.#patterns.some((pattern) => pattern.source === undefined && pattern.whole);
  }

  /** The whole source has something, in the snapshot or live: that is what the pattern means. */
  noteWhole(source: string): void {
    for (const pattern of this.#patterns) if (pattern.source === source && pattern.whole) this.#met.add(pattern);
  }

  /** What a source asks. */
  of(source: string): RestoreSelection {
    const taken = new Set<string>();
    this.#taken.set(source, taken);
    const own = this.#patterns.filter((pattern) => pattern.source === undefined || pattern.source === source);
    const subject = (pattern: Pattern, place: string, path: string): string | undefined =>
      pattern.source === undefined ? this.#inMemory(place) : path;
    return {
      has: (place, path) => {
        const met = own.filter((pattern) => {
          const at = subject(pattern, place, path);
          return at !== undefined && pattern.matches(at);
        });
        for (const pattern of met) this.#met.add(pattern);
        if (met.length > 0) taken.add(path);
        return met.length > 0;
      },
      within: (place, path) =>
        own.find((pattern) => {
          const at = subject(pattern, place, path);
          return at !== undefined && pattern.reachesInto(at);
        })?.text,
    };
  }

  /** True when a source that was asked found that this is selected. */
  took(source: string, path: string): boolean {
    return this.#taken.get(source)?.has(path) === true;
  }

  /** True when the source has anything that is selected. */
  tookAnything(source: string): boolean {
    return (this.#taken.get(source)?.size ?? 0) > 0;
  }

  /** A pattern that means one of these places, or something in them, of a source that cannot be asked. */
  meets(claims: readonly PathClaim[]): string | undefined {
    for (const { path } of claims) {
      const at = this.#inMemory(path);
      const found = this.#patterns.find(
        (pattern) =>
          pattern.source === undefined && at !== undefined && (pattern.matches(at) || pattern.reachesInto(at)),
      );
      if (found !== undefined) return found.text;
    }
    return undefined;
  }

  /**
   * The state keys that are selected: `state`, `state/<key>`, `state/<key>.json`.
   *
   * @param held keys that the bundle or the live state has
   * @param known every key there could be
   */
  stateKeys(held: ReadonlySet<string>, known: Iterable<string>): readonly string[] {
    const own = this.#patterns.filter((pattern) => pattern.source === STATE_FOLDER);
    return [...new Set([...held, ...known])].filter((key) => {
      const met = own.filter((pattern) => pattern.matches(key) || pattern.matches(`${key}.json`));
      if (held.has(key)) for (const pattern of met) this.#met.add(pattern);
      return met.length > 0;
    });
  }

  /**
   * @param names of what there is, for the hint
   * @throws KeepsakeError `E_NOT_FOUND` when a pattern means nothing in the bundle and nothing that is live
   */
  checkAllMet(names: Iterable<string>): void {
    const lost = this.#patterns.find((pattern) => !this.#met.has(pattern));
    if (lost === undefined) return;
    const near = nearNames(lost.text, names).filter((name) => name !== lost.text);
    throw new KeepsakeError(
      "E_NOT_FOUND",
      `${JSON.stringify(lost.text)} selects nothing that the snapshot has or that is live now and would be restored.`,
      {
        context: { only: lost.text, near: [...near] },
        hint:
          near.length > 0
            ? `There is: ${near.join(", ")}.`
            : "Name a source's id, or a path or glob relative to the memory directory; `keepsake show` lists what is in the snapshot.",
      },
    );
  }

  /** Relative to the memory directory; undefined for what lies elsewhere. */
  #inMemory(place: string): string | undefined {
    const path = relative(this.#memory, place);
    return path === ".." || path.startsWith("../") || isAbsolute(path) ? undefined : path;
  }
}
