import { type Clock, type JsonObject, type Logger, SYSTEM_CLOCK } from "@keepsake/core";
import type { GlobalOptions } from "../context.js";

type Level = "debug" | "info" | "warn" | "error" | "silent";
interface LogConfig {
  readonly level: Level;
  readonly format: "text" | "json";
}

type MakeLogger = (options: LogConfig & { readonly clock: Clock }) => Logger;

const LEVELS: readonly Level[] = ["debug", "info", "warn", "error", "silent"];

/**
 * What a command logs. The configuration says how, once it is loaded, but a person at a terminal is told what went wrong
 * and not what went well; `--verbose` tells all, and `--json` nothing else, so that stderr is empty or one error.
 */
export function logConfigFor(global: GlobalOptions, configured: LogConfig): LogConfig {
  const { format } = configured;
  if (global.verbose === true) return { level: "debug", format };
  if (global.json === true) return { level: "silent", format };
  if (global.quiet === true) return { level: stricter(configured.level, "error"), format };
  return { level: format === "json" ? configured.level : stricter(configured.level, "warn"), format };
}

function stricter(one: Level, other: Level): Level {
  return LEVELS.indexOf(one) > LEVELS.indexOf(other) ? one : other;
}

/** A logger that exists before the configuration is known. */
export class CommandLogger implements Logger {
  readonly #global: GlobalOptions;
  readonly #make: MakeLogger;
  #target: Logger;

  constructor(global: GlobalOptions, make: MakeLogger) {
    this.#global = global;
    this.#make = make;
    this.#target = this.#made({ level: "warn", format: "text" });
  }

  /** From now on as the configuration says. */
  configure(configured: LogConfig): void {
    this.#target = this.#made(configured);
  }

  #made(configured: LogConfig): Logger {
    return this.#make({ ...logConfigFor(this.#global, configured), clock: SYSTEM_CLOCK });
  }

  debug(message: string, facts?: JsonObject): void {
    this.#target.debug(message, facts);
  }

  info(message: string, facts?: JsonObject): void {
    this.#target.info(message, facts);
  }

  warn(message: string, facts?: JsonObject): void {
    this.#target.warn(message, facts);
  }

  error(message: string, facts?: JsonObject): void {
    this.#target.error(message, facts);
  }
}
