import { type AgentRef, type KeepsakeError, parseAgentId, parseTenantId } from "@keepsake/core";
import { fillPlaceholders } from "../config/expand.js";
import { agentSettings } from "../config/layers.js";
import { optionsOf } from "../config/provider-options.js";
import type { UseEntry } from "../config/schema.js";
import { checkSources, checkState } from "./check-instances.js";
import { makePolicy, policyEntries } from "./configured-policies.js";
import { PartErrors } from "./part-errors.js";
import type { WorkspaceParts } from "./workspace-parts.js";

/** An agent that is like all of which the configuration says nothing of their own. */
const ANY_AGENT = "any";

/**
 * Makes what is otherwise made when it is needed: the policies, and every agent's sources, state providers and codecs. What
 * cannot be made would be a surprise in the middle of the night.
 *
 * @returns what they failed with, each once
 */
export async function tryParts(parts: WorkspaceParts): Promise<readonly KeepsakeError[]> {
  const { kernel, loaded } = parts;
  const { config, registry, baseDir } = loaded;
  const errors = new PartErrors();
  const makeAll = async <K extends "source" | "state" | "codec">(
    kind: K,
    entries: readonly UseEntry[],
    ref: AgentRef,
  ) => {
    const made = [];
    for (const entry of entries) {
      // As where a bundle is read alone: a placeholder only has to be filled with something.
      const options = optionsOf(kind, fillPlaceholders(entry, { ...ref, memory: config.state_root }));
      made.push(...(await errors.attempt(() => kernel.make(kind, entry.use, options, { id: entry.id, baseDir }))));
    }
    return made;
  };
  for (const entry of policyEntries(config)) await errors.attempt(() => makePolicy(parts, entry));
  const named = Object.keys(config.agents).filter((name) => name !== "*");
  for (const name of [ANY_AGENT, ...named]) {
    const ref = { tenant: parseTenantId("default"), agent: parseAgentId(name) };
    const { sources, state, codecs } = agentSettings(config, registry, ref.agent);
    const madeSources = await makeAll("source", sources, ref);
    if (madeSources.length === sources.length) await errors.attempt(() => checkSources(madeSources, sources));
    const madeState = await makeAll("state", state, ref);
    if (madeState.length === state.length) await errors.attempt(() => checkState(madeState, state));
    await makeAll("codec", codecs, ref);
  }
  return errors.list;
}
