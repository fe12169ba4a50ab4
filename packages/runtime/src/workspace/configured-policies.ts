import { composePolicies, type RedactionPolicy } from "@keepsake/core";
import type { RedactionPolicies } from "@keepsake/engine";
import { optionsOf } from "../config/provider-options.js";
import type { ResolvedConfig, UseEntry } from "../config/schema.js";
import type { WorkspaceParts } from "./workspace-parts.js";

type Mode = "redact" | "block" | "warn";

type PolicyEntry = UseEntry & { readonly mode?: Mode | undefined };

export function policyEntries({ redaction }: ResolvedConfig): readonly PolicyEntry[] {
  return redaction.policies.map((entry) => (typeof entry === "string" ? { use: entry } : entry));
}

/** @throws KeepsakeError what the plugin failed with */
export function makePolicy({ kernel, loaded }: WorkspaceParts, entry: PolicyEntry): Promise<RedactionPolicy> {
  const { baseDir } = loaded;
  return kernel.make("redaction", entry.use, optionsOf("redaction", entry), { id: undefined, baseDir });
}

/** The policies of the configuration, by what is done with what they find: an entry's own mode, else that of all. */
export async function configuredPolicies(parts: WorkspaceParts): Promise<RedactionPolicies> {
  const { config } = parts.loaded;
  const made = await Promise.all(
    policyEntries(config).map(async (entry) => ({
      policy: await makePolicy(parts, entry),
      mode: entry.mode ?? config.redaction.mode,
    })),
  );
  const of = (wanted: Mode): RedactionPolicy[] =>
    made.filter(({ mode }) => mode === wanted).map(({ policy }) => policy);
  const [block, warn] = [of("block"), of("warn")];
  return {
    policy: composePolicies(of("redact")),
    ...(block.length === 0 ? {} : { block: composePolicies(block) }),
    ...(warn.length === 0 ? {} : { warn: composePolicies(warn) }),
  };
}
