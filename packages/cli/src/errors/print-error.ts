import { isJsonObject, type JsonValue } from "@keepsake/core/basics";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { describeError } from "./describe-error.js";

/**
 * An error for people: what happened, the facts that the message does not name itself, what to do, and the code.
 *
 * @param verbose adds the stack and the causes
 */
export function printError(error: unknown, style: Style, verbose: boolean): string {
  const { code, message, hint, context } = describeError(error);
  const sentences = message.split("\n").map(printable);
  const [first = ""] = sentences;
  const mark = style.red("error:");
  const lines =
    sentences.length === 1
      ? [`${mark} ${first} ${style.dim(`[${code}]`)}`]
      : [
          `${mark} ${String(sentences.length)} problems ${style.dim(`[${code}]`)}`,
          ...sentences.map((line) => `  ${line}`),
        ];
  for (const problem of problemsOf(context["problems"] ?? null)) {
    if (!message.includes(problem)) lines.push(`  ${printable(problem)}`);
  }
  if (hint !== undefined) lines.push(`${style.cyan("hint:")} ${printable(hint)}`);
  if (verbose) lines.push(...trace(error).map((line) => style.dim(printable(line))));
  return `${lines.join("\n")}\n`;
}

/** A list of problems in an error's context: sentences, or objects with a message and a place. */
function problemsOf(value: JsonValue): string[] {
  if (!Array.isArray(value)) return [];
  return value.map((item: JsonValue) => {
    if (typeof item === "string") return item;
    if (!isJsonObject(item)) return JSON.stringify(item);
    const place = [item["file"], item["path"]]
      .filter((part) => typeof part === "string")
      .filter((part) => part !== "")
      .join(": ");
    const message = typeof item["message"] === "string" ? item["message"] : JSON.stringify(item);
    return place === "" ? message : `${place}: ${message}`;
  });
}

function trace(error: unknown): string[] {
  const lines: string[] = [];
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth++) {
    if (depth > 0) lines.push(`caused by ${cause.name}: ${cause.message}`);
    lines.push(...(cause.stack ?? "").split("\n").filter((line) => line.startsWith("    at ")));
  }
  return lines;
}
