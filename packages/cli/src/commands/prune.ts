import { toWire } from "@keepsake/core";
import type { PruneRequest, RetentionRules } from "@keepsake/engine";
import type { CommandContext, CommandRun } from "../context.js";
import type { PruneOptions } from "../grammar/options.js";
import { usageError } from "../grammar/usage-error.js";
import { countText } from "../output/units.js";
import { confirmDestruction } from "../prompt/confirm.js";
import { pruneText } from "../render/prune.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `prune`: deletes what no rule keeps. Without `--yes` it looks first, and asks when it would delete anything. */
export const prune: CommandRun<PruneOptions> = async (context, options) => {
  const { agent, all = false, dryRun = false, yes = false } = options;
  if ((agent !== undefined) === all) throw await usageError("`prune` needs either --agent or --all.");
  const tenant = context.global.tenant ?? (all ? undefined : "default");
  const request: PruneRequest = { agent, tenant, dryRun, keep: rulesOf(options) };
  if (!dryRun && !yes) await askAbout(context, request);
  const report = await withKeepsake(context, (keepsake, operation) => keepsake.prune(request, operation));
  context.output.result({
    json: toWire(report),
    quiet: report.deleted,
    human: (style) => pruneText(report, dryRun, style),
  });
  return 0;
};

async function askAbout(context: CommandContext, request: PruneRequest): Promise<void> {
  const preview = await withKeepsake(context, (keepsake, operation) =>
    keepsake.prune({ ...request, dryRun: true }, operation),
  );
  if (preview.deleted.length === 0) return;
  const what = countText(preview.deleted.length, "snapshot");
  await confirmDestruction(context, {
    plan: pruneText(preview, true, context.output.noteStyle),
    question: `Delete ${what}? This cannot be undone.`,
    action: `Deleting ${what}`,
  });
}

/** The rules of the command line replace those of the configuration as a whole. */
function rulesOf(options: PruneOptions): RetentionRules | undefined {
  const rules: RetentionRules = {
    last: options.keepLast,
    withinDays: options.keepWithinDays,
    hourly: options.keepHourly,
    daily: options.keepDaily,
    weekly: options.keepWeekly,
    monthly: options.keepMonthly,
    yearly: options.keepYearly,
  };
  return Object.values(rules).every((rule) => rule === undefined) ? undefined : rules;
}
