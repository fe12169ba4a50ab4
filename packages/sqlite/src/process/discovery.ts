import { lstatSync, realpathSync } from "node:fs";
import { join } from "node:path";
import {
  type BundleName,
  BundleNames,
  errnoOf,
  fromSystemError,
  type PathClaim,
  toBundlePath,
} from "@keepsake/core/basics";
import { isGlob, pathMatcher, walkTree } from "@keepsake/files";
import type { Selection } from "../options.js";
import { isDatabaseStart, readStart } from "./header.js";
import type { Discovery, Exclusion, FoundDatabase } from "./protocol.js";
import { databaseOfSidecar, databaseOfSuperJournal, SIDECARS } from "./sidecars.js";

/** Databases consist of pages, of this size at least (sqlite.org/fileformat2.html, 1.3.2), in bytes. */
const SMALLEST_PAGE = 512;

/** How databases are usually called: such a one is looked into even where its size fits none. */
const DATABASE_NAME = /\.(?:db|db3|sdb|s3db|sqlite|sqlite2|sqlite3|sqlitedb)$/i;

/** Looks for the databases below a root: regular files with SQLite's header, whatever their name, and declared ones. */
export async function discover(selection: Selection, signal?: AbortSignal): Promise<Discovery> {
  const search = new Search(selection);
  try {
    for await (const entry of walkTree(selection.root, { signal, enter: (found) => !isGit(found.relative) })) {
      if (entry.type === "failed") search.unreadable(entry.relative, entry.error);
      else if (entry.type === "file") search.file(entry.relative, entry.stats.size);
    }
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw fromSystemError(error, "The folder of the databases could not be read");
  }
  return search.result();
}

function isGit(relative: Buffer): boolean {
  return relative.toString("latin1").split("/").at(-1) === ".git";
}

class Search {
  readonly #root: string;
  readonly #required: readonly string[];
  readonly #declared: ReadonlySet<string>;
  readonly #included: (name: string) => boolean;
  readonly #excluded: (name: string) => boolean;
  readonly #databases: FoundDatabase[] = [];
  readonly #omitted: Exclusion[] = [];
  readonly #taken = new Set<string>();
  readonly #names = new BundleNames();
  readonly #superJournals: string[] = [];
  readonly #withSidecar = new Set<string>();
  readonly #oddSized: string[] = [];

  constructor({ root, include, exclude, required }: Selection) {
    this.#root = root;
    this.#required = required;
    const literal = (include ?? []).filter((pattern) => !isGlob(pattern));
    this.#declared = new Set([...required, ...literal]);
    const matches = pathMatcher(include ?? []);
    this.#included = (name) => include === undefined || this.#declared.has(name) || matches(name);
    this.#excluded = pathMatcher(exclude);
  }

  file(relative: Buffer, size: number): void {
    const name = relative.toString("utf8");
    if (!Buffer.from(name, "utf8").equals(relative)) return;
    if (databaseOfSuperJournal(name) !== undefined) this.#superJournals.push(name);
    if (this.#declared.has(name)) {
      this.#declaredFile(name, size);
      return;
    }
    const withSidecar = databaseOfSidecar(name);
    if (withSidecar !== undefined) this.#withSidecar.add(withSidecar);
    if (size < 16 || !this.#included(name) || this.#excluded(name)) return;
    // To open every note only to find that it is none would take longer than all else.
    if (size % SMALLEST_PAGE !== 0) this.#oddSized.push(name);
    else if (this.#startsLikeDatabase(name)) this.#add(name);
  }

  /** A folder that cannot be read may hold databases; a file that cannot is for whoever takes the other files. */
  unreadable(relative: Buffer, error: unknown): void {
    const { path } = toBundlePath(relative);
    this.#omitted.push({ path, reason: "unreadable", code: "E_PERMISSION", detail: errnoOf(error) ?? "" });
  }

  result(): Discovery {
    // A disk that was full can have cut the last page of a database that lives on in its log.
    for (const name of this.#oddSized) if (this.#mayBeDatabase(name) && this.#startsLikeDatabase(name)) this.#add(name);
    const absent = this.#required.filter((name) => !this.#taken.has(name) && !this.#linked(name));
    const real = new Map(this.#databases.map((database) => [database, realOf(database.file)]));
    this.#databases.sort((a, b) => compare(real.get(a) ?? "", real.get(b) ?? ""));
    return { databases: this.#databases, omitted: this.#omitted, absent, claims: this.#claims() };
  }

  #mayBeDatabase(name: string): boolean {
    return this.#withSidecar.has(name) || DATABASE_NAME.test(name);
  }

  /** What was declared is a database, whatever its first bytes say. */
  #declaredFile(name: string, size: number): void {
    try {
      if (size === 0 || this.#startsLikeDatabase(name, true)) {
        this.#add(name);
        return;
      }
    } catch (error) {
      this.#omit(name, { reason: "unreadable", code: "E_PERMISSION", detail: errnoOf(error) ?? "" });
      return;
    }
    const detail = "it was declared as a database and does not begin like one: encrypted, or another format";
    this.#omit(name, { reason: "encrypted", code: "E_DATABASE_DAMAGED", detail });
  }

  #startsLikeDatabase(name: string, strict = false): boolean {
    try {
      return isDatabaseStart(readStart(join(this.#root, name), 16));
    } catch (error) {
      if (strict && errnoOf(error) !== "ENOENT") throw error;
      return false;
    }
  }

  #add(name: string): void {
    this.#taken.add(name);
    this.#databases.push({ file: join(this.#root, name), name, ...this.#bundlePath(name) });
  }

  #omit(name: string, why: Omit<Exclusion, "path">): void {
    this.#taken.add(name);
    this.#omitted.push({ path: this.#bundlePath(name).path, ...why });
  }

  #bundlePath(name: string): BundleName {
    return this.#names.name(Buffer.from(name, "utf8"));
  }

  /** A required name that is a link: fine when it leads to a database that is captured under its own name. */
  #linked(name: string): boolean {
    const file = join(this.#root, name);
    try {
      if (!lstatSync(file).isSymbolicLink()) return false;
      const target = realpathSync(file);
      if (this.#databases.some((database) => realOf(database.file) === target)) return true;
    } catch {
      return false;
    }
    this.#omitted.push({ path: this.#bundlePath(name).path, reason: "link_outside" });
    return true;
  }

  #claims(): PathClaim[] {
    const paths: string[] = [];
    for (const name of this.#taken) {
      const file = join(this.#root, name);
      paths.push(file, ...SIDECARS.map((suffix) => `${file}${suffix}`));
    }
    for (const name of this.#superJournals) {
      if (this.#taken.has(databaseOfSuperJournal(name) ?? "")) paths.push(join(this.#root, name));
    }
    return paths.map((path) => ({ path, scope: "path" }));
  }
}

function realOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function compare(a: string, b: string): number {
  return Buffer.from(a).compare(Buffer.from(b));
}
