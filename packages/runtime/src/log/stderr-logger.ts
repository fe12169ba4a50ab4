import type { Clock, JsonObject, Logger } from "@keepsake/core";

/** From which level on lines are written; "silent" writes none. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

interface LogOptions {
  readonly level: LogLevel;
  /** "text" for people, "json" one object a line */
  readonly format: "text" | "json";
  readonly clock: Clock;
  /** takes one line with its newline; default: standard error */
  readonly write?: (line: string) => void;
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** A logger that writes lines, by default to standard error. */
export function lineLogger({ level, format, clock, write = toStderr }: LogOptions): Logger {
  const line =
    (at: Exclude<LogLevel, "silent">) =>
    (message: string, facts: JsonObject = {}) => {
      if (RANK[at] < RANK[level]) return;
      const time = new Date(clock.now()).toISOString();
      if (format === "json") write(`${JSON.stringify({ ...facts, time, level: at, message })}\n`);
      else write(`${time} ${at.padEnd(5)} ${message}${factsText(facts)}\n`);
    };
  return { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
}

function factsText(facts: JsonObject): string {
  return Object.entries(facts)
    .map(
      ([key, value]) =>
        ` ${key}=${typeof value === "string" && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value)}`,
    )
    .join("");
}

function toStderr(line: string): void {
  process.stderr.write(line);
}
