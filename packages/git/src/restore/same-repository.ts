import { createHash } from "node:crypto";
import { lstat, readlink } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { join } from "node:path";
import { readChunks } from "@keepsake/files";
import { Reachability } from "../objects/reachability.js";
import type { GitDir } from "../repository/git-dir.js";
import { readRoots } from "../repository/roots.js";
import type { StateFile } from "../repository/state-files.js";
import { KEPT_TAGS } from "./keep-heads.js";

/** True when the live git directory already is what was staged, but for tags that earlier restores left. */
export async function isSameRepository(live: GitDir, staged: GitDir, signal?: AbortSignal): Promise<boolean> {
  if (refsText(live) !== refsText(staged)) return false;
  if ((await digestOfState(live)) !== (await digestOfState(staged))) return false;
  const reach = new Reachability(live.store, { signal, shallow: live.shallow });
  const roots = readRoots(live.files, live.format.kind);
  await reach.walk(roots.required);
  reach.check(roots.indexed);
  return reach.report.missingCount === 0 || live.format.promisor;
}

function refsText({ refs }: GitDir): string {
  const lines = [...refs.byName].filter(([name]) => !name.startsWith(KEPT_TAGS)).map(([name, oid]) => `${name} ${oid}`);
  return [...lines.sort(), refs.broken.join(" "), refs.head.ref ?? refs.head.oid ?? ""].join("\n");
}

async function digestOfState({ listing }: GitDir): Promise<string> {
  const hash = createHash("sha256");
  for (const file of listing.files) {
    const path = file.path.toString("latin1");
    if (file.type === "directory" || /^(?:refs\/|packed-refs$|HEAD$|shallow$)/.test(path)) continue;
    hash.update(`\n${path}\0${await contentMark(file)}`);
  }
  return hash.digest("hex");
}

async function contentMark({ absolute, type, stats }: StateFile): Promise<string> {
  if (type === "symlink") return `link ${await readlink(absolute)}`;
  const hash = createHash("sha256");
  await pipeline(readChunks(absolute), hash);
  // Who may read a configuration with a password in it belongs to it.
  return `${(stats.mode & 0o777n).toString(8)} ${hash.digest("hex")}`;
}

/** True when a folder has parts that the comparison above does not look at: submodules, files of git-lfs. */
export async function hasSeparateParts(gitDir: string): Promise<boolean> {
  for (const name of ["modules", "lfs", "annex"]) {
    if ((await lstat(join(gitDir, name)).catch(() => undefined)) !== undefined) return true;
  }
  return false;
}
