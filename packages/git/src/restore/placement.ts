import { foldedPath } from "@keepsake/core";
import type { BundledFile } from "./bundle-repositories.js";

/** What becomes of a file of a bundled repository. */
export type Placement =
  | { readonly as: "plain" | "config" | "hook" | "todo" | "ref" | "reflog" | "pointer" }
  | { readonly as: "dropped"; readonly because?: string };

const OBJECT =
  /^objects\/(?:[0-9a-f]{2}\/(?:[0-9a-f]{38}|[0-9a-f]{62})|pack\/pack-[0-9a-f]+\.(?:pack|idx|promisor|keep|mtimes))$/;
const OBJECT_FOLDER = /^objects(?:\/(?:pack|info|[0-9a-f]{2}))?$/;
const STEPS_OF_A_REBASE = /^(?:rebase-merge\/git-rebase-todo(?:\.backup)?|rebase-merge\/done|sequencer\/todo)$/;
/** Printable, and nothing a file system could take for another name. */
const PLAIN_NAME = /^[A-Za-z0-9_.+@=,-]*[A-Za-z0-9_+@=,-]$/;
const TRANSIENT = /\.lock$|^gc\.pid$|^fsmonitor--daemon/;

/** Decides, by its name alone, what becomes of each file. */
export class Placements {
  /** folders that git could be made to take for a git directory, longest first; "" or ending with a slash */
  readonly #gitDirs: readonly string[];

  constructor(files: readonly BundledFile[]) {
    const candidates = files
      .map(({ path }) => foldedPath(path))
      .filter((path) => path === "head" || path.endsWith("/head"))
      .map((path) => path.slice(0, -"head".length))
      .sort((a, b) => a.length - b.length);
    const accepted: string[] = [""];
    for (const dir of candidates) {
      const outer = accepted.findLast((known) => dir.startsWith(known)) ?? "";
      if (!/^(?:refs|logs|objects)\//.test(dir.slice(outer.length))) accepted.push(dir);
    }
    this.#gitDirs = accepted.sort((a, b) => b.length - a.length);
  }

  of({ path, entry }: BundledFile): Placement {
    const folded = foldedPath(path);
    const dir = this.#gitDirs.find((known) => folded.startsWith(known)) ?? "";
    const inner = path.slice(dir.length);
    const name = inner.split("/")[0] ?? "";
    if (!PLAIN_NAME.test(name)) return { as: "dropped", because: "its name is unusual for a git directory" };
    if (TRANSIENT.test(inner)) return { as: "dropped" };
    const top = foldedPath(name);
    if (top === "objects") return placeObject(inner, entry.meta.type);
    if (entry.meta.type === "directory") return { as: "plain" };
    if (entry.meta.type === "symlink") return placeLink(top, inner, entry.meta.linkTarget ?? "");
    if (top === "refs") return { as: "ref" };
    if (top === "logs") return { as: "reflog" };
    if (top === "hooks") return { as: "hook" };
    if (top === "config" || top === "config.worktree") return { as: "config" };
    if (top === "commondir" || top === "gitdir") {
      const worktree = /(?:^|\/)worktrees\/[^/]+\/$/.test(dir);
      return worktree ? { as: "pointer" } : { as: "dropped", because: "it would lead git to another folder" };
    }
    return { as: STEPS_OF_A_REBASE.test(foldedPath(inner)) ? "todo" : "plain" };
  }
}

function placeObject(inner: string, type: "file" | "directory" | "symlink"): Placement {
  if (type === "directory") return OBJECT_FOLDER.test(inner) ? { as: "plain" } : { as: "dropped" };
  if (type === "file" && OBJECT.test(inner)) return { as: "plain" };
  if (/alternates$/i.test(inner)) return { as: "dropped", because: "it would borrow objects from another folder" };
  // Commit graphs, bitmaps and the like: git computes them again.
  return { as: "dropped" };
}

const LINKABLE = new Set(["info", "lfs", "annex", "worktrees", "description"]);

function placeLink(top: string, inner: string, target: string): Placement {
  const inside = !target.startsWith("/") && !target.split("/").includes("..");
  if (inside && LINKABLE.has(top) && inner.includes("/")) return { as: "plain" };
  return { as: "dropped", because: "it is a link" };
}
