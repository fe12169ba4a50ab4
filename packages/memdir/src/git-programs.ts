import { readdir } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { foldedPath, type PathClaim } from "@keepsake/core";
import { bytesOfEntry, joinRaw, textOfKey } from "@keepsake/files";
import type { Desired, DesiredTree } from "./desired-tree.js";

/** A memory directory, and what else there will be in it after the restore. */
export interface Surroundings {
  /** absolute path of the memory directory */
  readonly root: string;
  /** places of the other sources, absolute */
  readonly others: readonly PathClaim[];
}

/** No pointer of git's is longer than a path. */
const LONGEST_POINTER_BYTES = 8192;

/** By the names in a git directory: what git takes settings from, runs, or is led by to run something. */
const PROGRAMS = String.raw`(?:config(?:\.worktree)?|hooks(?:/(?![^/]*\.sample$)[^/]+)?|rebase-merge/(?:git-rebase-todo(?:\.backup)?|done)|sequencer/todo)$`;
const PROGRAM = new RegExp(`^${PROGRAMS}`);
/** The same in whatever folder: few paths are looked at more closely. */
const PROGRAM_ANYWHERE = new RegExp(`(?:^|/)${PROGRAMS}`);

/**
 * Finds what could make git run a program of the bundle's choice: settings, hooks and unfinished rebases in whatever git
 * would take for a git directory, and `.git` files that lead out of the memory. Repositories are the git source's, which
 * neutralises them; here they are either a hostile bundle's, or those of a configuration without a git source.
 *
 * Git takes a folder for a git directory when it finds `objects` and `refs` in it, or `HEAD` and a `commondir` that leads
 * to one that has them (setup.c, is_git_directory). Each may be the bundle's, another source's, or there already.
 */
export async function programsOfGit(desired: DesiredTree, surroundings: Surroundings): Promise<readonly Desired[]> {
  const files = [...desired.values()].filter(({ type }) => type !== "directory");
  const suspects = files.flatMap((entry) => gitDirsOf(entry.key).map((dir) => ({ entry, dir })));
  const gitDirs = suspects.length === 0 ? undefined : new GitDirectories(desired, surroundings);
  const found = new Set<Desired>();
  for (const { entry, dir } of suspects) {
    if (!found.has(entry) && (await gitDirs?.has(dir)) === true) found.add(entry);
  }
  for (const entry of files) {
    const pointer = pointerIn(entry);
    if (pointer !== undefined && (await leadsOut(entry, pointer, surroundings.root))) found.add(entry);
  }
  return [...found];
}

/** The folders in which this name would be one that makes git run something. */
function gitDirsOf(key: string): readonly string[] {
  if (!PROGRAM_ANYWHERE.test(folded(key))) return [];
  const parts = key.split("/");
  const dirs: string[] = [];
  for (let depth = 0; depth < parts.length; depth++) {
    if (PROGRAM.test(folded(parts.slice(depth).join("/")))) dirs.push(parts.slice(0, depth).join("/"));
  }
  return dirs;
}

class GitDirectories {
  readonly #root: string;
  /** folded names of what will be in a folder, by the folder's folded key */
  readonly #names = new Map<string, Set<string>>();
  readonly #answers = new Map<string, Promise<boolean>>();

  constructor(desired: DesiredTree, { root, others }: Surroundings) {
    this.#root = root;
    for (const key of desired.keys()) this.#note(key);
    for (const { path } of others) {
      const inside = relative(root, path);
      if (inside !== "" && !inside.startsWith("..")) this.#note(Buffer.from(inside).toString("latin1"));
    }
  }

  has(dir: string): Promise<boolean> {
    const known = this.#answers.get(dir) ?? this.#ask(dir);
    this.#answers.set(dir, known);
    return known;
  }

  #note(key: string): void {
    const parts = folded(key).split("/");
    for (let depth = 0; depth < parts.length; depth++) {
      const dir = parts.slice(0, depth).join("/");
      const names = this.#names.get(dir) ?? new Set();
      names.add(parts[depth] ?? "");
      this.#names.set(dir, names);
    }
  }

  async #ask(dir: string): Promise<boolean> {
    if (folded(dir.split("/").at(-1) ?? "") === ".git") return true;
    const live = await readdir(joinRaw(this.#root, Buffer.from(dir, "latin1"))).catch(() => []);
    const names = new Set([...(this.#names.get(folded(dir)) ?? []), ...live.map((name) => foldedPath(name))]);
    return (names.has("objects") && names.has("refs")) || (names.has("head") && names.has("commondir"));
  }
}

/** How a file of this name leads git to another folder; undefined for what does not. */
function pointerIn({ key, type, sizeBytes }: Desired): RegExp | undefined {
  const pointer = POINTERS.get(folded(key.slice(key.lastIndexOf("/") + 1)));
  return type === "file" && sizeBytes <= LONGEST_POINTER_BYTES ? pointer : undefined;
}

/** True when it leads git to a folder outside of the memory: nobody looks at what that one holds. */
async function leadsOut({ key, entry }: Desired, pointer: RegExp, root: string): Promise<boolean> {
  const bytes = entry && (await bytesOfEntry(entry));
  const target = pointer.exec(bytes?.toString("latin1") ?? "")?.[1];
  if (target === undefined) return false;
  const inside = relative(root, resolve(root, dirname(key), target));
  return inside === ".." || inside.startsWith("../");
}

/** Files that lead git to another folder, and how (gitrepository-layout(5)). */
const POINTERS: ReadonlyMap<string, RegExp> = new Map([
  [".git", /^gitdir: ([^\0\r\n]+)/],
  ["commondir", /^([^\0\r\n]+)/],
]);

/** Keys have a character per byte; names are compared as people and file systems read them. */
function folded(key: string): string {
  return foldedPath(textOfKey(key));
}
