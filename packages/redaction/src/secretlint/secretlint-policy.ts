import { type Finding, KeepsakeError, mergeFindings, type RedactionPolicy } from "@keepsake/core";
import { SyncWorker } from "../worker/sync-worker.js";
import type { SecretlintQuestion, SecretlintStart } from "./secretlint.worker.js";

export interface SecretlintOptions extends Partial<SecretlintStart> {
  /** the longest that all rules together may take over a mebibyte of text, or a shorter one */
  readonly timeoutMs?: number;
}

export const SECRETLINT_PRESET = "@secretlint/secretlint-rule-preset-recommend";

/** How long its modules may take to load. */
const LOAD_MS = 30_000;

/**
 * A policy that applies rules of secretlint 12, by default those of its recommended preset. They run in a thread of their own;
 * comments in a text that switch rules off are not heeded.
 *
 * @throws KeepsakeError `E_CONFIG` when a rule package cannot be loaded; `scan` throws it when a rule takes too long
 */
export function secretlintPolicy({
  packages = [SECRETLINT_PRESET],
  from,
  timeoutMs = 10_000,
}: SecretlintOptions = {}): RedactionPolicy & Disposable {
  const start: SecretlintStart = { packages, ...(from === undefined ? {} : { from }) };
  const worker = new SyncWorker(new URL("./secretlint.worker.js", import.meta.url), start);
  const ask = (question: SecretlintQuestion, limitMs: number): ReturnType<SyncWorker["ask"]> =>
    worker.ask(question, limitMs);
  const names = namesFrom(ask("rules", LOAD_MS), packages);
  return {
    id: "secretlint",
    rules: names.map(ruleId),
    scan(text, { path }) {
      if (text === "") return [];
      const limit = timeoutMs * Math.max(1, text.length / 1_048_576);
      const result = ask({ text, path }, limit);
      if ("busy" in result) {
        const rule = names[result.busy] ?? "(none: the thread did not start)";
        throw new KeepsakeError("E_CONFIG", `The rule ${rule} of secretlint took longer than ${String(limit)} ms.`, {
          context: { rule, path },
          hint: "Leave the rule out, or give it more time.",
        });
      }
      if (!Array.isArray(result.answer))
        throw new KeepsakeError("E_PLUGIN_FAILED", `The rules of secretlint failed: ${reasonOf(result.answer)}`, {
          context: { path },
        });
      const findings = result.answer as readonly Finding[];
      return mergeFindings(findings.map((finding) => ({ ...finding, rule: ruleId(finding.rule) })));
    },
    [Symbol.dispose]: () => worker.close(),
  };
}

function namesFrom(result: ReturnType<SyncWorker["ask"]>, packages: readonly string[]): readonly string[] {
  if ("answer" in result && Array.isArray(result.answer)) return result.answer as readonly string[];
  const reason = "answer" in result ? reasonOf(result.answer) : "they did not load in time";
  throw new KeepsakeError("E_CONFIG", `The rules of secretlint ${packages.join(", ")} cannot be loaded: ${reason}`, {
    context: { packages: [...packages] },
    hint: "Install the package beside the configuration file.",
  });
}

/** `@secretlint/secretlint-rule-github` is `secretlint_github`. */
function ruleId(name: string): string {
  const own = name.replace(/^(?:@secretlint\/)?secretlint-rule-/, "").toLowerCase();
  return `secretlint_${own.replaceAll(/[^a-z0-9_-]+/g, "-")}`;
}

function reasonOf(answer: unknown): string {
  return typeof answer === "object" && answer !== null && "error" in answer ? String(answer.error) : "no answer";
}
