import { addMatches, foldedPath, namePolicy, type RedactionPolicy, redactText } from "@keepsake/core";

/** A place in a bundle: a path, and whether it is escaped. */
export interface NamedPlace {
  readonly path: string;
  readonly nameEncoding?: "percent" | undefined;
}

/** As the history of repositories names the entries of a tree: a note in the working tree has to keep the name it has there. */
const WHERE = { path: "git/tree" };

/** State values have names of `[a-z0-9_-]{1,64}`. */
const MAX_KEY = 64;

/**
 * New names for files, folders and state values whose name holds a secret, part by part. Two that would be the same are
 * numbered in the order of their old names, so that equal memories get equal names.
 */
export class NameRedaction {
  readonly #policy: RedactionPolicy;
  readonly #stateFolder: string;
  /** by old folder and old name */
  readonly #renamed = new Map<string, string>();
  readonly #matches: Record<string, number> = {};

  /** @param places all there are: what two of them share is renamed once */
  constructor(places: readonly NamedPlace[], policy: RedactionPolicy, stateFolder: string) {
    this.#policy = namePolicy(policy);
    this.#stateFolder = stateFolder;
    for (const [folder, names] of foldersOf(places)) this.#nameAll(folder, names);
  }

  /** How many names are others now. */
  get count(): number {
    return this.#renamed.size;
  }

  /** matches by rule id */
  get matches(): Readonly<Record<string, number>> {
    return this.#matches;
  }

  path(path: string): string {
    if (this.#renamed.size === 0) return path;
    const names = path.split("/");
    return names.map((name, index) => this.#nameIn(names.slice(0, index).join("/"), name)).join("/");
  }

  /** What a link says: the new names on its way, and nothing of a secret where it leads to what is not there. */
  target(linkPath: string, target: string): string {
    const at = linkPath.split("/").slice(0, -1);
    return target
      .split("/")
      .map((name) => {
        if (name === "" || name === ".") return name;
        if (name === "..") {
          at.pop();
          return name;
        }
        const renamed = this.#nameIn(at.join("/"), name);
        at.push(name);
        return renamed === name ? this.#redacted(name) : renamed;
      })
      .join("/");
  }

  #nameIn(folder: string, name: string): string {
    return this.#renamed.get(`${folder}/${name}`) ?? name;
  }

  #nameAll(folder: string, names: ReadonlyMap<string, boolean>): void {
    const wanted = [...names].flatMap(([name, isEscaped]) => {
      const redacted = folder === this.#stateFolder ? this.#stateFile(name) : this.#redacted(name, isEscaped);
      return redacted === name ? [] : [{ name, redacted }];
    });
    if (wanted.length === 0) return;
    const changed = new Set(wanted.map(({ name }) => name));
    const taken = new Set([...names.keys()].filter((name) => !changed.has(name)).map(foldedPath));
    for (const { name, redacted } of wanted.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))) {
      let free = redacted;
      for (let number = 2; taken.has(foldedPath(free)); number++)
        free = numbered(redacted, number, folder === this.#stateFolder);
      taken.add(foldedPath(free));
      this.#renamed.set(`${folder}/${name}`, free);
    }
  }

  #redacted(name: string, isEscaped = false): string {
    const { text, matches } = redactText(name, this.#policy, WHERE);
    this.#add(matches);
    // In an escaped name a colon is escaped, too.
    return isEscaped && text !== name
      ? text.replaceAll(/\[REDACTED:[^\]]*\]/g, (one) => one.replaceAll(":", "%3A"))
      : text;
  }

  #stateFile(name: string): string {
    const key = name.replace(/\.json$/, "");
    const { text, matches } = redactText(key, this.#policy, WHERE);
    if (text === key) return name;
    this.#add(matches);
    const plain = text
      .toLowerCase()
      .replaceAll(/[^a-z0-9_-]+/g, "-")
      .replace(/^-+|-+$/g, "");
    return `${plain.slice(0, MAX_KEY)}.json`;
  }

  #add(matches: Readonly<Record<string, number>>): void {
    addMatches(this.#matches, matches);
  }
}

function numbered(name: string, number: number, isStateFile: boolean): string {
  if (!isStateFile) return `${name}~${String(number)}`;
  const suffix = `-${String(number)}`;
  return `${name.replace(/\.json$/, "").slice(0, MAX_KEY - suffix.length)}${suffix}.json`;
}

/** By folder what is in it, and whether its name is escaped. */
function foldersOf(places: readonly NamedPlace[]): Map<string, Map<string, boolean>> {
  const folders = new Map<string, Map<string, boolean>>();
  for (const { path, nameEncoding } of places) {
    const names = path.split("/");
    // The first is the source's id, which is the configuration's.
    for (let index = 1; index < names.length; index++) {
      const folder = names.slice(0, index).join("/");
      const inside = folders.get(folder) ?? new Map<string, boolean>();
      folders.set(folder, inside.set(names[index] ?? "", nameEncoding === "percent"));
    }
  }
  return folders;
}
