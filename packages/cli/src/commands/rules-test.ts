import { resolve } from "node:path";
import { toWire } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import { exitOf } from "../errors/exit-code.js";
import type { NoOptions } from "../grammar/options.js";
import { scanText } from "../render/scan.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `rules test`: what they find in one text; exit code 3 when it is anything. */
export const rulesTest: CommandRun<NoOptions> = async (context, _options, file = "") => {
  const request = { textFile: resolve(context.terminal.cwd, file), tenant: context.global.tenant };
  const report = await withKeepsake(context, (keepsake, operation) => keepsake.scan(request, operation));
  context.output.result({
    json: toWire(report),
    quiet: report.findings.map(({ rule }) => rule),
    human: (style) => scanText(report, style),
  });
  return report.findings.length > 0 ? exitOf("E_INCOMPLETE") : 0;
};
