import type { RedactionPolicy } from "../ports/redaction-policy.js";
import { mergeFindings } from "./merge-findings.js";

/** What parts the words of a file's name: behind each a token may begin, which in a text begins behind a blank. */
const PARTS = /[-_.+~ ]/g;

/** The policy for names: `token-ghp_….txt` is one word, and holds a token all the same. */
export function namePolicy(policy: RedactionPolicy): RedactionPolicy {
  return {
    ...policy,
    scan(name, where) {
      const starts = [0, ...[...name.matchAll(PARTS)].map(({ index }) => index + 1)];
      return mergeFindings(
        starts.flatMap((from) =>
          policy
            .scan(name.slice(from), where)
            .map(({ start, end, rule }) => ({ start: start + from, end: end + from, rule })),
        ),
      );
    },
  };
}
