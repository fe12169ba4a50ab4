import { toWire } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import type { ImportOptions } from "../grammar/options.js";
import { recordTable } from "../render/record.js";
import { agentRequest } from "../session/agent-request.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `import`: takes a bundle file into the store, and prints its record. */
export const importBundle: CommandRun<ImportOptions> = async (context, options) => {
  const record = await withKeepsake(context, (keepsake, operation) =>
    keepsake.import(
      { ...agentRequest(context, options), bundleFile: options.from, identityFiles: options.identity },
      operation,
    ),
  );
  context.output.result({
    json: toWire(record),
    quiet: [record.id],
    human: (style) => recordTable([record], false, context.nowMs, style),
  });
  return 0;
};
