import type { AddedArtifact, GitHead, JsonObject, Omission, RedactionOutcome } from "@keepsake/core";

/** What the redaction of several repositories did, as it goes on. */
export class GitOutcome {
  readonly matches: Record<string, number> = {};
  readonly touched: string[] = [];
  readonly unscanned: { readonly path: string; readonly reason: string }[] = [];
  readonly removed: string[] = [];
  readonly added: AddedArtifact[] = [];
  readonly omitted: Omission[] = [];
  readonly repositories: JsonObject[] = [];
  head: GitHead | undefined;

  addMatches(matches: Readonly<Record<string, number>>): void {
    for (const [rule, count] of Object.entries(matches)) this.matches[rule] = (this.matches[rule] ?? 0) + count;
  }

  finish(): RedactionOutcome {
    return {
      matches: this.matches,
      artifactsTouched: this.touched,
      unscanned: this.unscanned,
      removed: this.removed,
      added: this.added,
      omitted: this.omitted,
      source: {
        ...(this.head === undefined ? {} : { git: this.head }),
        facts: { repositories: this.repositories.toReversed() },
      },
      history: "rewritten",
    };
  }
}
