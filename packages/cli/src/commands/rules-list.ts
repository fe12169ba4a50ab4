import { toWire } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import type { NoOptions } from "../grammar/options.js";
import { printable } from "../output/printable.js";
import { table } from "../output/table.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `rules list`: every rule that is applied. */
export const rulesList: CommandRun<NoOptions> = async (context) => {
  const { tenant } = context.global;
  const report = await withKeepsake(context, (keepsake, operation) => keepsake.rules({ tenant }, operation));
  const rows = report.policies.flatMap(({ id, mode, rules }) => rules.map((rule) => [rule, id, mode]));
  context.output.result({
    json: toWire(report),
    quiet: rows.map(([rule = ""]) => rule),
    human: (style) =>
      table(
        [{ head: "RULE" }, { head: "POLICY" }, { head: "MODE" }],
        rows.map((row) => row.map(printable)),
        style,
      ),
  });
  return 0;
};
