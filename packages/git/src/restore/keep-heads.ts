import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { encodeLoose, loosePath } from "../objects/loose.js";
import { Reachability } from "../objects/reachability.js";
import type { GitDir } from "../repository/git-dir.js";

/** Tags that begin so keep what a restore replaced. */
export const KEPT_TAGS = "refs/tags/pre-restore-";

/**
 * Keeps what the live repository's HEAD, and its branches, point to: copies what the staged repository lacks of it, and tags
 * it there as `pre-restore-<operation>`; a branch whose tip would be lost as `pre-restore-<operation>.heads/<branch>`. Tags
 * of earlier restores come along.
 *
 * @returns what the user should know
 */
export async function keepHeads(
  live: GitDir,
  staged: GitDir,
  stagedDir: string,
  operationId: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const wanted = tagsFor(live, staged, operationId);
  if (wanted.size === 0) return [];
  if (live.format.kind !== staged.format.kind) {
    return ["What was HEAD before is not kept as a tag: the repositories have different object formats."];
  }
  const cut: string[] = [];
  const supply = (oid: string): boolean => {
    const object = live.store.read(oid);
    if (object === undefined) return false;
    const file = join(stagedDir, "objects", loosePath(oid));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, encodeLoose(object), { mode: 0o444 });
    staged.store.addLoose(oid, file);
    if (live.shallow.has(oid)) cut.push(oid);
    return true;
  };
  const shallow = new Set([...staged.shallow, ...live.shallow]);
  const notices: string[] = [];
  for (const [tag, oid] of wanted) {
    const reach = new Reachability(staged.store, { signal, shallow, supply });
    await reach.walk([oid]);
    if (reach.report.missingCount > 0 && !live.format.promisor) {
      notices.push(`${tag} was not written: the live repository lacks objects of it.`);
      continue;
    }
    const file = join(stagedDir, tag);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${oid}\n`, { mode: 0o644 });
  }
  if (cut.length > 0) await appendFile(join(stagedDir, "shallow"), cut.map((oid) => `${oid}\n`).join(""));
  return notices;
}

function tagsFor(live: GitDir, staged: GitDir, operationId: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const [name, oid] of live.refs.byName) {
    if (name.startsWith(KEPT_TAGS) && !staged.refs.byName.has(name)) tags.set(name, oid);
  }
  const tag = `refs/tags/pre-restore-${operationId}`;
  const { head } = live.refs;
  if (head.oid !== undefined) tags.set(tag, head.oid);
  for (const [name, oid] of live.refs.byName) {
    const branch = /^refs\/heads\/(.+)$/.exec(name)?.[1] ?? (name === "refs/stash" ? "stash" : undefined);
    if (branch !== undefined && oid !== head.oid && !staged.store.has(oid)) tags.set(`${tag}.heads/${branch}`, oid);
  }
  return tags;
}
