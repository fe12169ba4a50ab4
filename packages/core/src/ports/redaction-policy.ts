import type { JsonObject } from "../json.js";
import type { GitHead, Omission } from "../manifest/schema.js";

/** Where a text comes from. */
export interface ScanContext {
  /** path in the bundle, state key, or "manifest:label" */
  readonly path: string;
  /** `table.column` of a database, for what is a cell */
  readonly column?: string;
  /** what tells the row of that cell from all others */
  readonly row?: string;
  /** of a repository: the newest commit that holds it */
  readonly commit?: string;
  /** what that cell is called, if it is a value: its column, the key beside it; a policy is shown `"<name>": "<value>"`, too */
  readonly names?: readonly string[];
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
  /**
   * Changes whenever it may find, or replace by, something else than before in the same text: of another version, with other
   * rules, options or keys. Tells nothing of a key. Absent: that cannot be told, and what is redacted is redacted each time.
   */
  readonly fingerprint?: string;
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
  /** "percent": `pathInBundle` is the escaped form of a name that cannot travel (see `percentEncodePath`) */
  readonly nameEncoding?: "percent";
  /** the artifact's facts in the manifest */
  readonly facts?: JsonObject;
}

/** An artifact that a redaction made: a finished private file beside those that it was given. */
export interface AddedArtifact extends StagedArtifact {
  /** permission bits, 0 to 0o7777 */
  readonly mode: number;
  /** milliseconds since 1970 */
  readonly mtimeMs: number;
}

/** A place in a history, as a redaction's {@link ScanContext} named it. */
export interface HistoryPlace {
  readonly path: string;
  readonly commit: string;
}

/** What there is to say of such a place. */
export interface TracedPlace extends HistoryPlace {
  /** the full name of a ref that leads to the commit: a branch rather than a tag, the current one first; absent: only a reflog does */
  readonly ref?: string;
  /** all of the text that was looked through; absent where it is not a file's or a message */
  readonly content?: Uint8Array;
}

/** What became of a repository's history: its secrets are gone, it is not in the bundle, or it is as it was. */
export type HistoryRedaction = "rewritten" | "omitted" | "unredacted";

/** What a source's own redaction did. */
export interface RedactionOutcome {
  /** matches by rule id */
  readonly matches: Readonly<Record<string, number>>;
  /** the same by path in the bundle; absent: all of them are told of the source as a whole */
  readonly byArtifact?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly artifactsTouched: readonly string[];
  readonly unscanned: readonly { readonly path: string; readonly reason: string }[];
  /** facts of artifacts that are others now, by path in the bundle: they take the place of those in the manifest */
  readonly facts?: Readonly<Record<string, JsonObject>>;
  /** paths of given artifacts that do not go into the bundle */
  readonly removed?: readonly string[];
  readonly added?: readonly AddedArtifact[];
  /** what is left out on purpose and would otherwise be missed by a restore */
  readonly omitted?: readonly Omission[];
  /** what the source says of itself in the manifest, where that is something else now */
  readonly source?: { readonly git?: GitHead; readonly facts?: JsonObject };
  readonly history?: HistoryRedaction;
}
