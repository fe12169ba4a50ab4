/** Where a candidate stands. */
export interface Around {
  /** the whole text */
  readonly text: string;
  /** where the match of the pattern begins; the candidate itself begins at `start` */
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

/** How one kind of secret is found. Plain data: a rule is added by adding one to a list. */
export interface SecretRule {
  /** `[a-z0-9_-]+`; stands in the replacement `[REDACTED:<id>]` */
  readonly id: string;
  /** what it finds, for people */
  readonly description: string;
  /** Lower case. The patterns are tried only on a text that holds one of these, in any case. */
  readonly keywords: readonly string[];
  /**
   * Each with the flags `dg` and a group `secret`: what is replaced. What surrounds it may be part of the pattern and stays.
   *
   * Every pattern takes time linear in the text: a run of repeated characters is entered only at its beginning (so the
   * pattern starts with `START`, or with a literal that the run cannot hold), and no repetition holds another.
   */
  readonly patterns: readonly RegExp[];
  /**
   * Where the patterns are tried: `"keyword"` = a match begins with the keyword, a number = it begins at most so many
   * characters before or after it. Absent: anywhere in the text, which takes a pass over all of it for each pattern.
   */
  readonly reach?: "keyword" | number;
  /** Which of the patterns are tried at a keyword, a bit for each: what is cheap to ask spares them most places in prose. */
  readonly patternsAt?: (text: string, place: number) => number;
  /** What a pattern cannot say: true when the candidate is a secret. Absent: every candidate is. */
  readonly check?: (candidate: string, around: Around) => boolean;
  /** Set where it tells a secret by its name alone: another rule that finds the same one names it. */
  readonly generic?: true;
  /** In the language of `expandSample`, so that no secret-looking text stands in the source. */
  readonly samples: {
    /** each with one secret, in `«»` */
    readonly found: readonly string[];
    readonly spared: readonly string[];
  };
}

/**
 * Where a token can begin: after anything that is no part of a word (names are put together with dashes); and, since many
 * texts are JSON or URLs, after the escape of a control character, a character code, or a percent-encoded byte, whose last
 * character looks like a part of a token; and after the marks of emphasis in Markdown.
 */
export const START = String.raw`(?:(?<!\w)|(?<=(?<![\w-])_{1,2})|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2})|(?<=\u001b\[[0-9;]{0,8}m))`;

/** Between a name and its value: `=`, `:`, `=>`, `:=`, with quotes, escaped quotes and blanks around. */
export const ASSIGNED = String.raw`["'\\\s]{0,6}(?:=>|:=|==?|:)["'\\\s]{0,6}`;

/** A pattern of parts; see {@link SecretRule.patterns}. */
export function secretPattern(source: string, flags: "" | "i" = ""): RegExp {
  return new RegExp(source, `dg${flags}`);
}
