import { createHash } from "node:crypto";
import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errnoOf, type OpOptions, sha256Hex, type WatchedPlace } from "@keepsake/core";
import { pathKey, type WalkStats, walkStats, walkTree, youngForMs } from "@keepsake/files";

/** So many entries are looked at: of what has more it is not told whether anything changed. */
const MAX_ENTRIES = 200_000;

/** Why it cannot be told whether anything changed. */
class NotTold extends Error {}

/** Where is looked, in a form that can be kept: what lies in a memory is not named, since the memory may be a secret. */
export interface TracedPlaces {
  /** ascending, none in the tree of another one */
  readonly roots: readonly { readonly path: string; readonly scope: "path" | "tree" }[];
  /** ascending SHA-256 of the paths of what does not count in full */
  readonly exceptions: readonly { readonly sha256: string; readonly counts: "written" | "nothing" }[];
}

/** @throws the system error, where it cannot be seen what a path leads to */
export async function tracedPlaces(watched: readonly WatchedPlace[]): Promise<TracedPlaces> {
  const roots = new Map<string, { path: string; scope: "path" | "tree"; real: string | undefined }>();
  const exceptions = new Map<string, "written" | "nothing">();
  for (const { path, scope, counts = "all" } of watched) {
    if (counts === "all") {
      roots.set(`${path}\0${scope}`, { path, scope, real: await realPath(path) });
    } else {
      const folder = (await realPath(dirname(path))) ?? dirname(path);
      exceptions.set(sha256Hex(pathKey(join(folder, basename(path)))), counts);
    }
  }
  const trees = [...roots.values()].filter(({ scope }) => scope === "tree");
  const isWithin = (real: string | undefined): boolean =>
    trees.some((tree) => tree.real !== undefined && real?.startsWith(`${tree.real}/`) === true);
  return {
    roots: [...roots.entries()]
      .filter(([, { real }]) => !isWithin(real))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { path, scope }]) => ({ path, scope })),
    exceptions: [...exceptions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([sha256, counts]) => ({ sha256, counts })),
  };
}

/**
 * What the system says of all that is at some places, as a digest: names, kinds, identities, sizes and times; of folders
 * their names and modes. Two that are equal show that nothing has changed from when the first was begun until the second was:
 * whatever is written, replaced or renamed gets another time of its last change (POSIX.1-2024, 4.12).
 *
 * @returns undefined where that cannot be told: something was changed within the last tick of the clock, so that another
 *   change might not show; or something cannot be looked at; or there is too much
 */
export async function traceOf(places: TracedPlaces, options: OpOptions): Promise<string | undefined> {
  try {
    return await digestOf(places, options);
  } catch (error) {
    if (error instanceof NotTold || errnoOf(error) !== undefined) return undefined;
    throw error;
  }
}

async function digestOf({ roots, exceptions }: TracedPlaces, options: OpOptions): Promise<string> {
  const nowMs = Date.now();
  const excepted = new Map(exceptions.map(({ sha256, counts }) => [sha256, counts]));
  // Who looks decides what can be seen.
  const hash = createHash("sha256").update(`${String(process.geteuid?.() ?? "")}\n`);
  let entries = 0;
  const add = (relative: Buffer, key: string, isFolder: boolean, stats: WalkStats): void => {
    const counts = isFolder || excepted.size === 0 ? "all" : (excepted.get(sha256Hex(key)) ?? "all");
    if (counts === "nothing") return;
    if (++entries > MAX_ENTRIES) throw new NotTold("There is too much.");
    const { dev, ino, mode, size, mtimeNs, ctimeNs } = stats;
    const identity = `${String(dev)} ${String(ino)} ${String(mode)}`;
    const changed = { ctimeNs: counts === "all" ? ctimeNs : mtimeNs };
    if (!isFolder && youngForMs(changed, nowMs) > 0) throw new NotTold("It was changed just now.");
    // A folder's own times tell that somebody came and went; what there is to see is in it.
    const times = isFolder ? "" : `${String(size)} ${String(mtimeNs)} ${counts === "all" ? String(ctimeNs) : ""}`;
    hash.update(relative).update(`\0${identity} ${times}\0`);
  };
  for (const { path, scope } of roots) {
    const real = await realPath(path);
    hash.update(`\n${path}\0${real ?? ""}\0`);
    if (real === undefined) continue;
    const stats = await lstat(real, { bigint: true });
    add(Buffer.alloc(0), pathKey(real), stats.isDirectory(), walkStats(stats));
    if (scope === "path" || !stats.isDirectory()) continue;
    for await (const found of walkTree(real, options)) {
      if (found.type === "failed") throw new NotTold("Something cannot be looked at.", { cause: found.error });
      add(found.relative, pathKey(found.absolute), found.type === "directory", found.stats);
    }
  }
  return hash.digest("hex");
}

/** Where a path leads to; undefined when nothing is there. */
async function realPath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
