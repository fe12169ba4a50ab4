import { toWire } from "@keepsake/core";
import type { VerifyRequest } from "@keepsake/engine";
import type { CommandContext, CommandRun } from "../context.js";
import type { VerifyOptions } from "../grammar/options.js";
import { usageError } from "../grammar/usage-error.js";
import { verifyExit, verifyText } from "../render/verify.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `verify`: the checks; exit code 4 when one failed. */
export const verify: CommandRun<VerifyOptions> = async (context, options, ref) => {
  const request = await requestOf(context, options, ref);
  const report = await withKeepsake(context, (keepsake, operation) => keepsake.verify(request, operation));
  context.output.result({ json: toWire(report), human: (style) => verifyText(report, style) });
  return verifyExit(report, options.identity !== undefined);
};

async function requestOf(context: CommandContext, options: VerifyOptions, ref?: string): Promise<VerifyRequest> {
  const { agent, bundle, deep, identity: identityFiles } = options;
  if (bundle !== undefined && agent === undefined && ref === undefined && deep !== true)
    return { bundleFile: bundle, identityFiles };
  if (bundle === undefined && agent !== undefined && ref !== undefined) {
    return { agent, tenant: context.global.tenant, ref, identityFiles, deep };
  }
  throw await usageError(
    "`verify` needs either --agent and a snapshot, or --bundle alone; --deep goes with the former.",
  );
}
