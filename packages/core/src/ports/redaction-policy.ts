import type { JsonObject } from "../json.js";

/** Where a text comes from. */
export interface ScanContext {
  /** path in the bundle, state key, or "manifest:label" */
  readonly path: string;
  /** `table.column` of a database, for what is a cell */
  readonly column?: string;
}

/** A found secret: a range of UTF-16 code units, `start` inclusive, `end` exclusive; ranges of one scan do not overlap. */
export interface Finding {
  readonly start: number;
  readonly end: number;
  /** the rule's id, `[a-z0-9_-]+`; stands in the replacement `[REDACTED:<rule>]` */
  readonly rule: string;
}

/** Finds secrets. A pure function of the text: no state between calls, the same answer for the same input. */
export interface RedactionPolicy {
  readonly id: string;
  /** ids of all rules it applies */
  readonly rules: readonly string[];
  /** @returns the findings, sorted by start; never the values */
  scan(text: string, where: ScanContext): readonly Finding[];
  /**
   * What stands instead of a found secret; absent: `[REDACTED:<rule>]`. The same for the same rule and secret, begins with
   * `[REDACTED:`, ends with `]`, is of printable ASCII without quotes, backslashes and blanks, and tells nothing of the secret to who has no key.
   */
  replacement?(rule: string, secret: string): string;
}

/** A private copy of an artifact that may be rewritten in place. */
export interface StagedArtifact {
  readonly pathInBundle: string;
  readonly file: string;
}

/** What a source's own redaction did. */
export interface RedactionOutcome {
  /** matches by rule id */
  readonly matches: Readonly<Record<string, number>>;
  readonly artifactsTouched: readonly string[];
  readonly unscanned: readonly { readonly path: string; readonly reason: string }[];
  /** facts of artifacts that are others now, by path in the bundle: they take the place of those in the manifest */
  readonly facts?: Readonly<Record<string, JsonObject>>;
}
