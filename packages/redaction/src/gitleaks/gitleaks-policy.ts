import { type Finding, KeepsakeError, mergeFindings, type RedactionPolicy, sha256Hex } from "@keepsake/core";
import { REDACTION_VERSION } from "../version.js";
import { SyncWorker } from "../worker/sync-worker.js";
import type { Untranslated } from "./plain-rules.js";
import { readGitleaks } from "./read-gitleaks.js";

export interface GitleaksOptions {
  /** of the file, for messages */
  readonly name?: string;
  /** the longest that all rules together may take over a mebibyte of text, or a shorter one */
  readonly timeoutMs?: number;
}

/** A policy that applies the rules of a `gitleaks.toml`. */
export interface GitleaksPolicy extends RedactionPolicy, Disposable {
  /** what of the file is not applied, and why */
  readonly untranslated: readonly Untranslated[];
}

/**
 * A policy of a user's own patterns. They run in a thread of their own: one that does not come to an end is given up, and the
 * error names its rule.
 *
 * @param text of the file
 * @throws KeepsakeError `E_CONFIG` when the file is malformed; `scan` throws it when a pattern takes too long
 */
export function gitleaksPolicy(
  text: string,
  { name = "gitleaks.toml", timeoutMs = 10_000 }: GitleaksOptions = {},
): GitleaksPolicy {
  const { rules, untranslated } = readGitleaks(text, name);
  const worker = new SyncWorker(new URL("./gitleaks.worker.js", import.meta.url), rules);
  return {
    id: "gitleaks",
    rules: [...new Set(rules.map(({ id }) => id))],
    fingerprint: sha256Hex(`${REDACTION_VERSION}\n${text}`),
    untranslated,
    scan(scanned, { path }) {
      if (rules.length === 0 || scanned === "") return [];
      const limit = timeoutMs * Math.max(1, scanned.length / 1_048_576);
      const result = worker.ask({ text: scanned, path }, limit);
      if ("busy" in result) {
        const rule = rules[result.busy]?.id ?? "(none: the thread did not start)";
        throw new KeepsakeError(
          "E_CONFIG",
          `The pattern of the rule ${rule} in ${name} took longer than ${limit} ms.`,
          {
            context: { rule, file: name, path },
            hint: "Write the pattern so that no repetition stands within another, or take the rule out.",
          },
        );
      }
      if (!Array.isArray(result.answer))
        throw new KeepsakeError("E_PLUGIN_FAILED", `The rules of ${name} failed.`, { context: { file: name, path } });
      return mergeFindings(result.answer as readonly Finding[]);
    },
    [Symbol.dispose]: () => worker.close(),
  };
}
