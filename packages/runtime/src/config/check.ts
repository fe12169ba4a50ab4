import type { PluginRegistry } from "../plugins/registry.js";
import type { ConfigProblems } from "./problems.js";

/** What the checks need to know, and where they put what they find. */
export interface Check {
  readonly registry: PluginRegistry;
  readonly problems: ConfigProblems;
  readonly timeoutMs: number;
  /** a plugin could not be loaded: names that nobody provides may be its own */
  readonly someMissing?: boolean;
}
