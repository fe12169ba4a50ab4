import { addMatch, isReplaced, namePolicy, type RedactionPolicy, replacementFor } from "@keepsake/core";
import type { RenamedPart } from "./process/redact/renamed-parts.js";

/** New names for what of a schema's names tells a secret, and how many of them which rule found. */
export interface SchemaNames {
  /** the longest first */
  readonly renamed: readonly RenamedPart[];
  readonly matches: Readonly<Record<string, number>>;
}

/**
 * Looks through the names of tables, views, indexes, triggers and columns. The same part gets the same new name in all of them,
 * so that they still mean each other.
 *
 * @param path of the database in the bundle
 */
export function withoutSecretNames(names: readonly string[], policy: RedactionPolicy, path: string): SchemaNames {
  const scanning = namePolicy(policy);
  const matches: Record<string, number> = {};
  const renamed = new Map<string, RenamedPart>();
  const isTaken = (name: string): boolean =>
    [...names, ...[...renamed.values()].map(({ to }) => to)].some((one) =>
      one.toLowerCase().includes(name.toLowerCase()),
    );
  for (const name of [...names].sort()) {
    for (const { start, end, rule } of scanning.scan(name, { path })) {
      const from = name.slice(start, end);
      // The tables behind a virtual one have its name in theirs.
      if (isReplaced(from) || renamed.has(from.toLowerCase())) continue;
      renamed.set(from.toLowerCase(), { from, to: freeName(replacementFor(policy, rule, from), isTaken) });
      addMatch(matches, rule);
    }
  }
  return { renamed: [...renamed.values()].sort((a, b) => b.from.length - a.from.length), matches };
}

/** `[REDACTED:github_token]` as a name that needs no quotes. */
function freeName(replacement: string, isTaken: (name: string) => boolean): string {
  const plain = replacement.replaceAll(/\W+/g, "_").replaceAll(/^_+|_+$/g, "");
  let free = plain;
  for (let number = 2; isTaken(free); number++) free = `${plain}_${String(number)}`;
  return free;
}
