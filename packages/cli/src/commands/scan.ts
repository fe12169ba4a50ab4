import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { toWire } from "@keepsake/core";
import type { ScanRequest } from "@keepsake/engine";
import type { CommandContext, CommandRun } from "../context.js";
import { exitOf } from "../errors/exit-code.js";
import type { ScanOptions } from "../grammar/options.js";
import { usageError } from "../grammar/usage-error.js";
import { scanText } from "../render/scan.js";
import { liveAgentRequest } from "../session/agent-request.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `scan`: what a redaction would find; exit code 3 when it is anything. */
export const scan: CommandRun<ScanOptions> = async (context, options, place) => {
  const request = await requestOf(context, options, place);
  const report = await withKeepsake(context, (keepsake, operation) => keepsake.scan(request, operation));
  context.output.result({
    json: toWire(report),
    quiet: [...new Set(report.findings.map(({ artifact }) => artifact))],
    human: (style) => scanText(report, style),
  });
  const isUnclean = options.requireClean === true && report.unscanned.length > 0;
  return report.findings.length > 0 || isUnclean ? exitOf("E_INCOMPLETE") : 0;
};

async function requestOf(context: CommandContext, options: ScanOptions, place?: string): Promise<ScanRequest> {
  const { agent, memory, identity: identityFiles } = options;
  const { tenant } = context.global;
  if (agent !== undefined) {
    if (place !== undefined && memory !== undefined)
      throw await usageError("`scan` looks at a snapshot or at --memory, not at both.");
    return {
      ...liveAgentRequest(context, { agent, ...(memory === undefined ? {} : { memory }) }),
      ref: place,
      identityFiles,
    };
  }
  const given = place ?? memory;
  if (given === undefined || (place !== undefined && memory !== undefined))
    throw await usageError("`scan` needs --agent, a folder or a bundle file.");
  const path = resolve(context.terminal.cwd, given);
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isFolder ? { memory: path, tenant, identityFiles } : { bundleFile: path, tenant, identityFiles };
}
