import { isJsonObject, isKeepsakeError, type JsonObject, type JsonValue, toWire } from "@keepsake/core";
import type { CommandRun } from "../context.js";
import type { RecoverOptions } from "../grammar/options.js";
import { printable } from "../output/printable.js";
import { withKeepsake } from "../session/with-keepsake.js";

const OUTCOMES: Readonly<Record<string, string>> = {
  completed: "finished: the new state stands",
  rolled_back: "undone: the old state stands",
};

/** `recover`: finishes or undoes interrupted restores, and sweeps what crashes left. */
export const recover: CommandRun<RecoverOptions> = async (context, { agent }) => {
  const { tenant } = context.global;
  const report = await withKeepsake(context, (keepsake, operation) =>
    keepsake.recover(
      { ...(agent === undefined ? {} : { agent }), ...(tenant === undefined ? {} : { tenant }) },
      operation,
    ),
  ).catch((error: unknown) => {
    // What was done before and after the failure is done: with --json it is in the error itself.
    if (isKeepsakeError(error)) for (const line of linesOf(error.context)) context.output.note(line);
    throw error;
  });
  const document = toWire(report);
  const lines = linesOf(document);
  context.output.result({
    json: document,
    human: () => (lines.length === 0 ? "Nothing to recover.\n" : lines.map((line) => `${line}\n`).join("")),
  });
  return 0;
};

/** A line for each thing that was done, and for each that failed. */
function linesOf({ restores, swept, failures }: JsonObject): readonly string[] {
  const restored = objectsIn(restores).map((restore) => {
    const [id, tenant, agent, outcome] = ["operation_id", "tenant", "agent_id", "outcome"].map((key) =>
      textIn(restore[key]),
    );
    return `restore ${id ?? ""} of ${tenant ?? ""}/${agent ?? ""} ${OUTCOMES[outcome ?? ""] ?? ""}`;
  });
  const removed = listIn(swept).map((name) => `removed ${printable(textIn(name))}`);
  const failed = objectsIn(failures).map(({ tenant, agent, store, message }) => {
    const where = agent === undefined ? `store ${textIn(store)}` : `agent ${textIn(tenant)}/${textIn(agent)}`;
    return `failed for ${printable(where)}: ${printable(textIn(message))}`;
  });
  return [...restored, ...removed, ...failed];
}

function textIn(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function listIn(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return listIn(value).filter(isJsonObject);
}
