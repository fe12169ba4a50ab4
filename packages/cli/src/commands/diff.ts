import type { JsonObject } from "@keepsake/core";
import type { DiffReport } from "@keepsake/engine";
import type { CommandRun } from "../context.js";
import type { RefOptions } from "../grammar/options.js";
import { diffText } from "../render/diff.js";
import { sourcesOnWire } from "../render/diff-wire.js";
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

function wireOf({ a, b, sources }: DiffReport): JsonObject {
  return { a, b, sources: sourcesOnWire(sources) };
}
