import { mkdtemp } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { OpOptions, RedactionOutcome, RedactionPolicy, StagedArtifact } from "@keepsake/core";
import { bundledPlaces, workingTreeOf } from "./bundled-places.js";
import { GitOutcome } from "./git-outcome.js";
import { keepHistory } from "./keep-history.js";
import { RepositoryRedaction } from "./repository-redaction.js";

/** What a redaction does with the history. */
export type GitHistory = "rewrite" | "omit" | "keep";

/** How repositories are redacted. */
export interface GitRedactionOptions {
  readonly sourceId: string;
  readonly history: GitHistory;
  /** the folder of the source's root below the memory directory, "" for the memory directory itself */
  readonly root: string;
  /** whether old and new ids go into the bundle; default not */
  readonly oidMap?: boolean;
}

/**
 * Redacts private copies of repositories: every text in every commit, tag and note, names of files, people and refs, reflogs and
 * configuration. What is not reachable is not carried. The same input gives the same ids.
 */
export async function redactGit(
  staged: readonly StagedArtifact[],
  policy: RedactionPolicy,
  { sourceId, history, root, oidMap = false }: GitRedactionOptions,
  { signal }: OpOptions = {},
): Promise<RedactionOutcome> {
  const [first] = staged;
  if (first === undefined) return { matches: {}, artifactsTouched: [], unscanned: [] };
  const places = bundledPlaces(staged, sourceId);
  if (history === "keep") return await keepHistory(places, policy, sourceId, { signal });
  if (history === "omit") return omitted(staged, sourceId, places);
  const outcome = new GitOutcome();
  const scratch = await mkdtemp(join(dirname(first.file), "redacted-git-"));
  const linked = new Map<string, string>();
  for (const [number, place] of places.entries()) {
    const order = {
      ...{ place, sourceId, linked, policy, oidMap },
      notes: workingTreeOf(place, root),
      scratch: join(scratch, String(number)),
    };
    await new RepositoryRedaction(order, outcome).run(signal);
  }
  return outcome.finish();
}

/** A repository that is left out is named: a restore leaves the live one as it is then. */
function omitted(
  staged: readonly StagedArtifact[],
  source: string,
  places: ReturnType<typeof bundledPlaces>,
): RedactionOutcome {
  return {
    matches: {},
    artifactsTouched: [],
    unscanned: [],
    removed: staged.map(({ pathInBundle }) => pathInBundle),
    omitted: places.map(({ prefix }) => ({
      source,
      path: `${Buffer.from(prefix, "latin1").toString("utf8")}HEAD`,
      reason: "excluded",
      detail: "The history is left out of redacted bundles.",
    })),
    history: "omitted",
  };
}
