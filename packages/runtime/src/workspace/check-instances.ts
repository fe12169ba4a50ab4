import { type ArtifactSource, KeepsakeError, type StateProvider } from "@keepsake/core";
import type { UseEntry } from "../config/schema.js";

/** `state` is the folder of the state values. */
const SOURCE_ID = /^(?!state$)[a-z0-9_]{1,64}$/;

/**
 * @throws KeepsakeError `E_CONFIG` when two sources would share a folder or two take the remainder, `E_PLUGIN_FAILED`
 *   when a source has an id that is not valid, or not the one it was given
 */
export function checkSources(sources: readonly ArtifactSource[], entries: readonly UseEntry[]): void {
  checkIds("source", sources, entries);
  for (const { id } of sources) {
    if (SOURCE_ID.test(id)) continue;
    throw new KeepsakeError("E_PLUGIN_FAILED", `The source id ${JSON.stringify(id)} is not valid.`, {
      context: { id },
    });
  }
  const remainders = sources.filter((source) => source.takes === "remainder").map((source) => source.id);
  if (remainders.length <= 1) return;
  throw new KeepsakeError(
    "E_CONFIG",
    `Only one source can take what the others leave; these all do: ${remainders.join(", ")}.`,
    {
      context: { sources: remainders },
    },
  );
}

/** @throws KeepsakeError `E_CONFIG` when two providers share an id or are responsible for one key */
export function checkState(providers: readonly StateProvider[], entries: readonly UseEntry[]): void {
  checkIds("state provider", providers, entries);
  const keys = providers.flatMap((provider) => provider.keys);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice === undefined) return;
  throw new KeepsakeError("E_CONFIG", `The state key ${twice} has two providers.`, { context: { key: twice } });
}

function checkIds(what: string, made: readonly { readonly id: string }[], entries: readonly UseEntry[]): void {
  const known = new Set<string>();
  for (const [index, { id }] of made.entries()) {
    const wanted = entries[index]?.id;
    if (wanted !== undefined && wanted !== id) {
      throw new KeepsakeError("E_PLUGIN_FAILED", `A ${what} was to have the id ${wanted} and calls itself ${id}.`, {
        context: { wanted, id },
      });
    }
    if (known.has(id)) {
      throw new KeepsakeError("E_CONFIG", `Two entries make a ${what} with the id ${id}.`, {
        context: { id },
        hint: "Give each an `id` of its own.",
      });
    }
    known.add(id);
  }
}
