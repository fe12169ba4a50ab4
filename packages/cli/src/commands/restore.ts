import { type JsonObject, toWire } from "@keepsake/core";
import type { BundleSelector, RestoreReport, RestoreRequest } from "@keepsake/engine";
import type { CommandContext, CommandRun } from "../context.js";
import type { RestoreOptions } from "../grammar/options.js";
import { usageError } from "../grammar/usage-error.js";
import { printable } from "../output/printable.js";
import { confirmDestruction } from "../prompt/confirm.js";
import { sourcesOnWire } from "../render/diff-wire.js";
import { destructiveItems, planSummary, planText, restoreText } from "../render/restore.js";
import { liveAgentRequest } from "../session/agent-request.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `restore`: puts a snapshot back. Without `--yes` it looks first, and asks when it would replace or delete anything. */
export const restore: CommandRun<RestoreOptions> = async (context, options, ref) => {
  const request = await requestOf(context, options, ref);
  if (options.dryRun !== true && options.yes !== true) {
    const preview = await withKeepsake(context, (keepsake, operation) =>
      keepsake.restore({ ...request, dryRun: true, difference: false }, operation),
    );
    await askAbout(context, options, preview);
    // What was asked about is what is restored, although "latest" may have become another meanwhile.
    if (request.ref !== undefined) return run(context, { ...request, ref: preview.from });
  }
  return run(context, request);
};

async function run(context: CommandContext, request: RestoreRequest): Promise<number> {
  const report = await withKeepsake(context, (keepsake, operation) => keepsake.restore(request, operation));
  for (const notice of report.notices) context.output.warn(printable(notice));
  context.output.result({
    json: wireOf(report),
    quiet: report.preSnapshot === undefined ? [] : [report.preSnapshot],
    human: (style) => restoreText(report, style),
  });
  return 0;
}

function wireOf({ difference, ...rest }: RestoreReport): JsonObject {
  return { ...toWire(rest), ...(difference === undefined ? {} : { difference: sourcesOnWire(difference) }) };
}

async function askAbout(context: CommandContext, options: RestoreOptions, preview: RestoreReport): Promise<void> {
  if (destructiveItems(preview.plan).length === 0) return;
  const undo = options.preSnapshot ? "A snapshot is taken first, which undoes it." : "It cannot be undone.";
  await confirmDestruction(context, {
    plan: planText(preview.plan, context.output.noteStyle),
    question: `Restore ${partText(preview.only)}${preview.from} over the memory of ${preview.agentId}: ${planSummary(preview.plan)}. ${undo} Go on?`,
    action: `A restore over live memory (${planSummary(preview.plan)})`,
  });
}

/** "people.md, topics of ": whose snapshot it is follows. */
function partText(only: readonly string[] | undefined): string {
  return only === undefined ? "" : `${only.map(printable).join(", ")} of `;
}

async function requestOf(context: CommandContext, options: RestoreOptions, ref?: string): Promise<RestoreRequest> {
  return {
    ...liveAgentRequest(context, options),
    ...(await bundleOf(options.from, ref)),
    identityFiles: options.identity,
    only: options.only,
    dryRun: options.dryRun,
    preSnapshot: options.preSnapshot ? undefined : false,
    live: options.live,
    acceptRedacted: options.acceptRedacted,
  };
}

async function bundleOf(from?: string, ref?: string): Promise<BundleSelector> {
  if (ref !== undefined && from === undefined) return { ref };
  if (ref === undefined && from !== undefined) return { bundleFile: from };
  throw await usageError("`restore` needs either a snapshot or --from.");
}
