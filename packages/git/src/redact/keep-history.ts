import type { OpOptions, RedactionOutcome, RedactionPolicy } from "@keepsake/core";
import { readFormat } from "../repository/format.js";
import type { BundledPlace } from "./bundled-places.js";
import { ContentRedactor } from "./content-redactor.js";
import { FileNames } from "./file-names.js";
import { GitOutcome } from "./git-outcome.js";
import { OID_MAP } from "./oid-map.js";
import { namesIn, RefNames } from "./ref-names.js";
import { sortFiles } from "./staged-objects.js";
import { asUtf8, StateRedaction } from "./state-redaction.js";

/** Resolutions of conflicts: they name no refs. */
const RESOLUTIONS = /^(?:worktrees\/[^/]+\/)?rr-cache\//;

/**
 * Leaves histories as they are, but for names of refs that hold a secret: the manifest lists the files of loose refs, and is read
 * by everybody.
 */
export async function keepHistory(
  places: readonly BundledPlace[],
  policy: RedactionPolicy,
  sourceId: string,
  { signal }: OpOptions,
): Promise<RedactionOutcome> {
  const outcome = new GitOutcome();
  for (const place of places) await renameRefs(place, policy, `${sourceId}/${place.prefix}`, outcome, signal);
  return {
    matches: outcome.matches,
    artifactsTouched: outcome.touched,
    unscanned: [{ path: sourceId, reason: "history_kept" }],
    // What an earlier rewrite told is nothing that this one was asked to hand on.
    removed: [...outcome.removed, ...places.flatMap(({ files }) => files.get(OID_MAP)?.pathInBundle ?? [])],
    added: outcome.added,
    history: "unredacted",
  };
}

async function renameRefs(
  place: BundledPlace,
  policy: RedactionPolicy,
  base: string,
  outcome: GitOutcome,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { state } = sortFiles(place.files);
  const files = new Map([...state].map(([path, { file }]) => [asUtf8(path), file]));
  const format = readFormat(files);
  if (format.unsupported !== undefined) return;
  const finding = new ContentRedactor(policy);
  const refs = new RefNames(namesIn(files, format), finding);
  if (refs.count === 0) return;
  outcome.addMatches(finding.matches);
  const redactor = new ContentRedactor({ id: "none", rules: [], scan: () => [] });
  const same = (oid: string): string => oid;
  const context = { kind: format.kind, redactor, refs, oidOf: same, linked: same, names: new FileNames(redactor) };
  const renamed = new Map([...state].filter(([path]) => !RESOLUTIONS.test(path)));
  await new StateRedaction(context, outcome, base).run(renamed, signal);
}
