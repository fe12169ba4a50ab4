import { lstat, readFile, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** How a repository lies in a folder. */
export type Layout =
  /** `.git` is a directory */
  | "directory"
  /** `.git` is a file or a link that leads to a git directory elsewhere: a linked worktree, a submodule */
  | "linked"
  /** the folder itself is the git directory */
  | "bare";

/** A repository that was found. All paths are absolute. */
export interface RepositoryPlace {
  /** relative to the source's root, `/`-separated; "" for the root itself */
  readonly folder: string;
  readonly layout: Layout;
  /** the folder's `.git`, or the folder itself when bare */
  readonly at: string;
  /** HEAD and the index are here */
  readonly gitDir: string;
  /** objects, refs and config are here; equal to `gitDir` but for a linked worktree */
  readonly commonDir: string;
}

async function kindOf(path: string): Promise<"file" | "directory" | "link" | undefined> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) return "link";
    return stats.isDirectory() ? "directory" : stats.isFile() ? "file" : undefined;
  } catch {
    return undefined;
  }
}

/** True when `dir` has what git asks of a git directory: HEAD, `objects` and `refs`. */
export async function isGitDir(dir: string): Promise<boolean> {
  const head = await kindOf(join(dir, "HEAD"));
  if (head !== "file" && head !== "link") return false;
  const common = await commonDirOf(dir);
  for (const name of ["objects", "refs"]) {
    const stats = await stat(join(common, name)).catch(() => undefined);
    if (stats?.isDirectory() !== true) return false;
  }
  return true;
}

async function commonDirOf(gitDir: string): Promise<string> {
  const text = await readFile(join(gitDir, "commondir"), "utf8").catch(() => undefined);
  return text === undefined ? gitDir : resolve(gitDir, text.trim());
}

/** Where a `.git` file points to. @returns undefined when it is no such file */
export async function readGitLink(file: string): Promise<string | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  const target = /^gitdir: (.+?)\r?\n?$/s.exec(text ?? "")?.[1];
  return target === undefined ? undefined : resolve(dirname(file), target);
}

/**
 * The repository of a folder itself; parent folders are not searched.
 *
 * @param folder relative name for the result
 * @param bare whether the folder itself may be a git directory
 */
export async function locateRepository(
  path: string,
  folder: string,
  { bare = true }: { readonly bare?: boolean } = {},
): Promise<RepositoryPlace | undefined> {
  const at = join(path, ".git");
  const kind = await kindOf(at);
  if (kind === "directory" && (await isGitDir(at))) {
    return { folder, layout: "directory", at, gitDir: at, commonDir: await commonDirOf(at) };
  }
  if (kind === "file" || kind === "link") {
    const target = kind === "file" ? await readGitLink(at) : await realpath(at).catch(() => undefined);
    if (target !== undefined && (await isGitDir(target))) {
      return { folder, layout: "linked", at, gitDir: target, commonDir: await commonDirOf(target) };
    }
  }
  if (bare && kind === undefined && (await isGitDir(path))) {
    return { folder, layout: "bare", at: path, gitDir: path, commonDir: await commonDirOf(path) };
  }
  return undefined;
}
