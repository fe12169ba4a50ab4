import { toWire } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import { exitOf } from "../errors/exit-code.js";
import type { ListOptions } from "../grammar/options.js";
import { usageError } from "../grammar/usage-error.js";
import { printable } from "../output/printable.js";
import { countText } from "../output/units.js";
import { recordTable } from "../render/record.js";
import { withKeepsake } from "../session/with-keepsake.js";

/** `list`: the records, newest first; exit code 3 when some could not be read, or have no bundle. */
export const list: CommandRun<ListOptions> = async (context, { agent, all = false }) => {
  if ((agent !== undefined) === all) throw await usageError("`list` needs either --agent or --all.");
  const { output, global } = context;
  const { snapshots, unreadable, missing } = await withKeepsake(context, (keepsake, operation) =>
    keepsake.list({ agent, tenant: global.tenant ?? (all ? undefined : "default") }, operation),
  );
  output.result({
    json: {
      snapshots: snapshots.map((record) => toWire(record)),
      ...(unreadable.length === 0 ? {} : { unreadable: unreadable.map((item) => ({ ...item })) }),
      ...(missing.length === 0 ? {} : { missing: missing.map((item) => ({ ...item })) }),
    },
    quiet: snapshots.map((record) => record.id),
    human: (style) => (snapshots.length === 0 ? "No snapshots.\n" : recordTable(snapshots, all, context.nowMs, style)),
  });
  if (unreadable.length + missing.length === 0) return 0;
  for (const { key, code, message } of unreadable) output.warn(printable(`${key}: ${message} [${code}]`));
  for (const { id, key } of missing) output.warn(printable(`${id}: its bundle is not in the store: ${key}`));
  const said = [
    ...(unreadable.length === 0 ? [] : [`${countText(unreadable.length, "record")} could not be read`]),
    ...(missing.length === 0 ? [] : [`${countText(missing.length, "snapshot")} without a bundle`]),
  ];
  const error = {
    code: "E_INCOMPLETE",
    message: `${said.join(", ")}.`,
    hint: "`keepsake doctor` says more, and what to do.",
    context: {},
  };
  output.incomplete(error, [error.hint]);
  return exitOf("E_INCOMPLETE");
};
