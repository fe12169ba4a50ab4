import { type JsonObject, toWire } from "@keepsake/core";
import type { DiffReport } from "@keepsake/engine";
import type { CommandRun } from "../context.js";
import type { RefOptions } from "../grammar/options.js";
import { diffText } from "../render/diff.js";
import { agentRequest } from "../session/agent-request.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `diff`: what changed from one snapshot to another. */
export const diff: CommandRun<RefOptions> = async (context, options, from = "", to = "") => {
  const report = await withKeepsake(context, (keepsake, operation) =>
    keepsake.diff({ ...agentRequest(context, options), from, to, identityFiles: options.identity }, operation),
  );
  context.output.result({ json: wireOf(report), human: (style) => diffText(report, style) });
  return 0;
};

/** `toWire` leaves `details` alone, as a map of somebody else's keys; in a diff they are ours. */
function wireOf(report: DiffReport): JsonObject {
  const sources = report.sources.map((source) => ({
    ...toWire({ id: source.id, kind: source.kind, summary: source.summary }),
    items: source.items.map(({ path, change, details }) => ({
      path,
      change,
      ...(details === undefined ? {} : { details: toWire(details) }),
    })),
  }));
  return { a: report.a, b: report.b, sources };
}
