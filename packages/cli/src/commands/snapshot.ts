import { toWire } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import { exitOf } from "../errors/exit-code.js";
import type { SnapshotOptions } from "../grammar/options.js";
import { facts } from "../output/table.js";
import { bytesText } from "../output/units.js";
import { manifestFacts, sourceTable } from "../render/manifest.js";
import { recordTable } from "../render/record.js";
import { incompleteError, missingLines, missingOf } from "../render/missing.js";
import { warningLines } from "../render/redaction.js";
import { liveAgentRequest } from "../session/agent-request.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `snapshot`: takes one and prints its record; exit code 3 when something expected is not in it. */
export const snapshot: CommandRun<SnapshotOptions> = async (context, options) => {
  const { output } = context;
  const { label, redact, requireClean, encrypt, allowPartial, createdBy, full, skipUnchanged } = options;
  const { record, manifest, unchanged } = await withKeepsake(context, (keepsake, operation) =>
    keepsake.snapshot(
      {
        ...{ ...liveAgentRequest(context, options), label, redact, requireClean },
        ...{ recipients: encrypt, allowPartial, createdBy, full, skipUnchanged },
      },
      operation,
    ),
  );
  output.result({
    json: { ...toWire(record), ...(unchanged === true ? { unchanged } : {}) },
    quiet: [record.id],
    human: (style) =>
      (manifest === undefined
        ? recordTable([record], false, context.nowMs, style)
        : manifestFacts(manifest, context.nowMs, style) +
          facts([["stored", `${bytesText(record.bundleSizeBytes)} as ${record.bundlePath}`]], style)) +
      (unchanged === true ? "Nothing has changed since this snapshot, and no other was taken.\n" : "") +
      (manifest === undefined || manifest.sources.length === 0 ? "" : `\n${sourceTable(manifest, style)}`),
  });
  for (const line of warningLines(manifest?.redactions)) output.warn(line);
  if (record.complete || manifest === undefined) return 0;
  const missing = missingOf(manifest);
  const title = output.noteStyle.yellow("The snapshot is incomplete. Not in it:");
  output.incomplete(incompleteError(record.id, missing), [title, ...missingLines(missing)]);
  return exitOf("E_INCOMPLETE");
};
