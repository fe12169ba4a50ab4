import { toWire } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import type { ExportOptions } from "../grammar/options.js";
import { printable } from "../output/printable.js";
import { facts } from "../output/table.js";
import { bytesText } from "../output/units.js";
import { redactionText, warningLines } from "../render/redaction.js";
import { agentRequest } from "../session/agent-request.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `export`: copies a snapshot out of the store. */
export const exportBundle: CommandRun<ExportOptions> = async (context, options, ref = "") => {
  const { to, redact, requireClean, encrypt, identity } = options;
  const report = await withKeepsake(context, (keepsake, operation) =>
    keepsake.export(
      {
        ...{ ...agentRequest(context, options), ref, to, redact, requireClean },
        ...{ recipients: encrypt, identityFiles: identity },
      },
      operation,
    ),
  );
  context.output.result({
    json: toWire(report),
    quiet: [report.bundle],
    human: (style) =>
      facts(
        [
          ["exported", report.id],
          ["bundle", `${printable(report.bundle)} (${bytesText(report.sizeBytes)})`],
          ["redacted", report.redactions === undefined ? undefined : redactionText(report.redactions)],
          ["digest", `${printable(report.sha256File)}: ${report.fileSha256}`],
        ],
        style,
      ),
  });
  for (const line of warningLines(report.redactions)) context.output.warn(line);
  return 0;
};
