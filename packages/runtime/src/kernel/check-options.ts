import type { AnyProvider, StandardIssue } from "@keepsake/core";

/** One mistake in the options of a provider. */
export interface OptionProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** set for a key the provider does not know; `path` then ends with it */
  readonly unknownKey?: string;
}

/** Options as the provider's schema completed them, or what is wrong with them. */
export type OptionsResult =
  | { readonly value: unknown; readonly problems?: undefined }
  | { readonly problems: readonly OptionProblem[] };

/** Checks options with the provider's own schema; a provider without one takes none. */
export async function checkOptions(
  provider: AnyProvider,
  options: Readonly<Record<string, unknown>>,
): Promise<OptionsResult> {
  if (!provider.options) {
    const keys = Object.keys(options);
    if (keys.length === 0) return { value: undefined };
    return { problems: keys.map((key) => ({ path: [key], message: "unknown key", unknownKey: key })) };
  }
  const result = await provider.options["~standard"].validate(options);
  return result.issues ? { problems: result.issues.flatMap(problemsOf) } : { value: result.value };
}

function problemsOf(issue: StandardIssue): readonly OptionProblem[] {
  const path = (issue.path ?? []).map((part) => (typeof part === "object" ? part.key : part));
  // Zod names all unknown keys of an object in one issue.
  const { code, keys } = issue as { readonly code?: unknown; readonly keys?: unknown };
  if (code !== "unrecognized_keys" || !Array.isArray(keys)) return [{ path, message: issue.message }];
  return keys.map(String).map((key) => ({ path: [...path, key], message: "unknown key", unknownKey: key }));
}
