import {
  addMatches,
  type AddedArtifact,
  type GitHead,
  type JsonObject,
  type Omission,
  type RedactionOutcome,
} from "@keepsake/core";

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
    addMatches(this.matches, matches);
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
