import type { Manifest } from "@keepsake/core";
import type { AgentProfile } from "../../workspace.js";
import type { JournaledPlan } from "../restore-journal.js";

/** What a pattern could have meant: sources, paths in the bundle and in its sources, and what would change. */
export function* namesOf(
  profile: AgentProfile,
  manifest: Manifest,
  plans: readonly JournaledPlan[],
): Generator<string> {
  yield* profile.sources.map(({ id }) => id);
  yield* manifest.sources.map(({ id }) => id);
  for (const { pathInBundle, source, kind } of manifest.artifacts) {
    // A repository is no matter of its files.
    if (kind === "git_bundle") continue;
    yield pathInBundle;
    yield pathInBundle.slice(source.length + 1);
  }
  for (const { plan } of plans) yield* plan.changes.map(({ path }) => path);
}
