import { composePolicies, type RedactionPolicy } from "@keepsake/core";
import type { AgentProfile } from "@keepsake/engine";
import { optionsOf } from "../config/provider-options.js";
import type { UseEntry } from "../config/schema.js";
import type { WorkspaceParts } from "./workspace-parts.js";

type Policies = Pick<AgentProfile["redaction"], "policy" | "block" | "warn">;
type Mode = "redact" | "block" | "warn";

/** The policies of the configuration, by what is done with what they find: an entry's own mode, else that of all. */
export async function configuredPolicies({ kernel, loaded }: WorkspaceParts): Promise<Policies> {
  const { config, baseDir } = loaded;
  const entries = config.redaction.policies.map((entry) => (typeof entry === "string" ? { use: entry } : entry));
  const made = await Promise.all(
    entries.map(async (entry: UseEntry & { readonly mode?: Mode | undefined }) => {
      const options = optionsOf("redaction", entry);
      const policy = await kernel.make("redaction", entry.use, options, { id: undefined, baseDir });
      return { policy, mode: entry.mode ?? config.redaction.mode };
    }),
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
