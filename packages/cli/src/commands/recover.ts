import { toWire } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import type { RecoverOptions } from "../grammar/options.js";
import { printable } from "../output/printable.js";
import { withKeepsake } from "../session/with-keepsake.js";

const OUTCOMES = { completed: "finished: the new state stands", rolled_back: "undone: the old state stands" } as const;

/** `recover`: finishes or undoes interrupted restores, and sweeps what crashes left. */
export const recover: CommandRun<RecoverOptions> = async (context, { agent }) => {
  const { tenant } = context.global;
  const report = await withKeepsake(context, (keepsake, operation) =>
    keepsake.recover(
      { ...(agent === undefined ? {} : { agent }), ...(tenant === undefined ? {} : { tenant }) },
      operation,
    ),
  );
  const lines = [
    ...report.restores.map(
      (restore) =>
        `restore ${restore.operationId} of ${restore.tenant}/${restore.agentId} ${OUTCOMES[restore.outcome]}`,
    ),
    ...report.swept.map((name) => `removed ${printable(name)}`),
  ];
  context.output.result({
    json: toWire(report),
    human: () => (lines.length === 0 ? "Nothing to recover.\n" : lines.map((line) => `${line}\n`).join("")),
  });
  return 0;
};
