import { toWire } from "@keepsake/core";
import type { SyncReport } from "@keepsake/engine";
import type { CommandContext, CommandRun } from "../context.js";
import { exitOf } from "../errors/exit-code.js";
import type { SyncOptions } from "../grammar/options.js";
import { usageError } from "../grammar/usage-error.js";
import { syncText } from "../render/sync.js";
import { openSession } from "../session/open-session.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `sync`: copies what one of two stores lacks; exit code 3 when something differs and stays as it is. */
export const sync: CommandRun<SyncOptions> = async (context, options, first, second) => {
  if ((second === undefined) === (options.with === undefined) && (first === undefined || second !== undefined)) {
    throw await usageError("`sync` needs two stores, or one and --with another configuration.");
  }
  const report = await withKeepsake(context, async (keepsake, operation) => {
    // One name is a second store beside the primary one; with --with it is the one here.
    const names =
      options.with === undefined && second === undefined ? ["primary", first] : [first ?? "primary", second];
    const [here = "primary", there] = names;
    const request = { agent: options.agent, tenant: context.global.tenant, dryRun: options.dryRun, deep: options.deep };
    const left = { name: here, store: keepsake.store(here) };
    if (options.with === undefined) {
      if (there === undefined || there === here) throw await usageError("`sync` needs two stores that differ.");
      return keepsake.sync({ ...request, stores: [left, { name: there, store: keepsake.store(there) }] }, operation);
    }
    const { file, store } = placeOf(options.with);
    await using other = await openSession(context, undefined, { file });
    const right = { name: `${file}:${store}`, store: other.store(store) };
    try {
      return await keepsake.sync({ ...request, stores: [left, right] }, operation);
    } finally {
      context.troubles.push(...other.takeStoreTroubles());
    }
  });
  tell(context, report);
  return report.differing.length > 0 ? exitOf("E_INCOMPLETE") : 0;
};

/** `other.yaml:far`; a colon may be part of the file's name, a slash is not of a store's. */
function placeOf(text: string): { readonly file: string; readonly store: string } {
  const [, file = text, store = "primary"] = /^(.+\.(?:ya?ml|json|mjs)):([^/:]+)$/.exec(text) ?? [];
  return { file, store };
}

function tell({ output }: CommandContext, report: SyncReport): void {
  output.result({
    json: toWire(report),
    quiet: [...report.copied, ...report.repaired].map(({ id }) => id),
    human: (style) => syncText(report, style),
  });
}
