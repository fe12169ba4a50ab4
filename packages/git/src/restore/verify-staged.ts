import { KeepsakeError } from "@keepsake/core";
import { Reachability } from "../objects/reachability.js";
import type { GitDir } from "../repository/git-dir.js";
import { readThrough, resolveHeadThrough } from "../repository/isomorphic.js";
import { readRoots } from "../repository/roots.js";

/**
 * Makes sure that a staged repository is whole: HEAD resolves, and everything that refs, HEAD and index need is there.
 *
 * @param knownDamage what the snapshot had seen to be missing or damaged is no fault of the bundle
 * @returns what the user should know
 * @throws KeepsakeError `E_REPOSITORY_DAMAGED`
 */
export async function verifyStaged(
  repository: GitDir,
  name: string,
  knownDamage: boolean,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const { format, refs, store, shallow, files } = repository;
  if (format.unsupported !== undefined) {
    throw new KeepsakeError("E_UNSUPPORTED", `The repository ${name} cannot be restored: ${format.unsupported}.`);
  }
  const damaged = (why: string, oid?: string): KeepsakeError =>
    new KeepsakeError("E_REPOSITORY_DAMAGED", `The repository ${name} in the bundle ${why}.`, {
      context: oid === undefined ? { repository: name } : { repository: name, oid },
    });
  if (refs.head.ref === undefined && refs.head.oid === undefined) throw damaged("has a HEAD that is malformed");
  const roots = readRoots(files, format.kind);
  const reach = new Reachability(store, { signal, shallow });
  await reach.walk(roots.required);
  reach.check(roots.indexed);
  const { missing, missingCount } = reach.report;
  if (missingCount > 0 && !format.promisor) {
    if (!knownDamage) throw damaged(`lacks ${String(missingCount)} objects that its refs or index need`, missing[0]);
    return [`${name}: ${String(missingCount)} objects are missing, as they were when the snapshot was taken.`];
  }
  const { oid } = refs.head;
  if (oid !== undefined && format.kind.algorithm === "sha1") {
    const agreed =
      (await resolveHeadThrough(files, store)) === oid && (await readThrough(files, store, oid)) !== undefined;
    if (!agreed) throw damaged("has a HEAD that does not lead to a commit", oid);
  }
  return [];
}
