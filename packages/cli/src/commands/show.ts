import { encodeManifest, parseManifest } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import type { RefOptions } from "../grammar/options.js";
import { manifestText } from "../render/manifest.js";
import { agentRequest } from "../session/agent-request.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `show`: the manifest. */
export const show: CommandRun<RefOptions> = async (context, options, ref = "") => {
  const wire = await withKeepsake(context, (keepsake, operation) =>
    keepsake.show({ ...agentRequest(context, options), ref, identityFiles: options.identity }, operation),
  );
  const { manifest } = parseManifest(encodeManifest(wire));
  context.output.result({
    json: wire,
    quiet: [manifest.snapshotId],
    human: (style) => manifestText(manifest, context.nowMs, style),
  });
  return 0;
};
