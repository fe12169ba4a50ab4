import { toWire } from "@keepsake/core";
import type { DoctorReport } from "@keepsake/engine";
import type { CommandContext, CommandRun } from "../context.js";
import { describeError } from "../errors/describe-error.js";
import { exitCodeOf } from "../errors/exit-code.js";
import type { DoctorOptions } from "../grammar/options.js";
import { doctorText } from "../render/doctor.js";
import { openSession } from "../session/open-session.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** Something is wrong; warnings alone are 0. */
const PROBLEM_EXIT = 1;

/** `doctor`: what is wrong and what to do. A configuration that cannot be loaded is a finding, with its own exit code. */
export const doctor: CommandRun<DoctorOptions> = async (context, options) => {
  try {
    await using _session = await openSession(context);
  } catch (error) {
    context.signal.throwIfAborted();
    print(context, unopened(error));
    return exitCodeOf(error);
  }
  const report = await withKeepsake(context, (keepsake, operation) =>
    keepsake.doctor({ reindex: options.reindex, identityFiles: options.identity }, operation),
  );
  // They are among the findings.
  context.troubles.length = 0;
  print(context, report);
  return report.ok ? 0 : PROBLEM_EXIT;
};

function print(context: CommandContext, report: DoctorReport): void {
  context.output.result({ json: toWire(report), human: (style) => doctorText(report, style) });
}

/** Each sentence is a finding of its own: they are mended one by one. What is to be done about all stands at the last. */
function unopened(error: unknown): DoctorReport {
  const { code, message, hint, context } = describeError(error);
  const finding = { name: "configuration", status: "problem", details: { code, ...context } } as const;
  const sentences = message.split("\n");
  const findings = sentences.map((sentence, index) => ({
    ...finding,
    message: sentence,
    ...(hint !== undefined && index === sentences.length - 1 && { hint }),
  }));
  return { ok: false, findings };
}
