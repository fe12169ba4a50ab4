/** A rule of gitleaks, translated; plain data, as it goes to the worker. */
export interface PlainRule {
  readonly id: string;
  /** source of a JavaScript pattern, for the flags `dgu` */
  readonly pattern: string;
  readonly keywords: readonly string[];
  readonly secretGroup: number;
  readonly entropy: number;
  readonly path: string | undefined;
  readonly allow: readonly PlainAllow[];
}

/** What is found and yet no secret; `all` = only where every kind of condition holds, else any. */
export interface PlainAllow {
  readonly all: boolean;
  readonly paths: readonly string[];
  readonly patterns: readonly string[];
  readonly target: "secret" | "match" | "line";
  readonly words: readonly string[];
}

/** A rule, or a part of the file, that is not applied, and why. */
export interface Untranslated {
  readonly rule: string;
  readonly reason: string;
}
