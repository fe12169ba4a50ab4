import { toWire } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import type { DeleteOptions } from "../grammar/options.js";
import { confirmDestruction } from "../prompt/confirm.js";
import { findRecord, recordSentence } from "../render/record.js";
import { agentRequest } from "../session/agent-request.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `delete`: removes a snapshot. Without `--yes` it asks, naming what the reference means now. */
export const deleteSnapshot: CommandRun<DeleteOptions> = async (context, options, reference = "") => {
  const agent = agentRequest(context, options);
  let ref = reference;
  if (options.yes !== true) {
    const { snapshots } = await withKeepsake(context, (keepsake, operation) =>
      keepsake.list({ agent: agent.agent, tenant: agent.tenant ?? "default" }, operation),
    );
    const record = findRecord(snapshots, reference);
    // What was asked about is what is deleted, although "latest" may have become another meanwhile.
    ref = record?.id ?? reference;
    const what = record === undefined ? reference : recordSentence(record, context.nowMs);
    await confirmDestruction(context, {
      plan: "",
      question: `Delete the snapshot ${what}, of ${agent.agent}? This cannot be undone.`,
      action: `Deleting the snapshot ${reference}`,
    });
  }
  const report = await withKeepsake(context, (keepsake, operation) => keepsake.delete({ ...agent, ref }, operation));
  context.output.result({
    json: toWire(report),
    quiet: [report.deleted],
    human: () => `Deleted ${report.deleted}.\n`,
  });
  return 0;
};
