import type { PluginRegistry } from "../plugins/registry.js";
import type { AnyProvider, KeepsakeError } from "@keepsake/core";
import type { ConfigProblems } from "./problems.js";

/** What the checks need to know, and where they put what they find. */
export interface Check {
  readonly registry: PluginRegistry;
  readonly problems: ConfigProblems;
  readonly timeoutMs: number;
  /** a plugin could not be loaded: names that nobody provides may be its own */
  readonly someMissing?: boolean;
  /** what plugins failed with while they checked options: it must not hide the mistakes elsewhere */
  readonly failures: { readonly path: readonly PropertyKey[]; readonly error: KeepsakeError }[];
  /** those that failed; they are not asked again */
  readonly broken: Set<AnyProvider>;
}
