import type { Clock, Logger, Plugin } from "@keepsake/core";
import { z } from "zod";
import { ConfigProblems } from "./problems.js";
import { unknownWord } from "./suggestion.js";
import type { ConfigSource } from "./read-config.js";

/** What a Keepsake is made from; everything is optional. */
export interface KeepsakeOptions {
  /** a configuration, or the file that holds one; absent: the built-in defaults. No file is looked for: see `findConfigFile` */
  readonly config?: ConfigSource | undefined;
  /** loaded in every case, before those that the configuration names */
  readonly plugins?: readonly Plugin[] | undefined;
  /** overrides the configuration's `state_root`; relative to `cwd` */
  readonly stateRoot?: string | undefined;
  /** overrides the configuration's `log` */
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
  /** what relative paths of requests are relative to; default: the process's */
  readonly cwd?: string | undefined;
  /** default: the process's */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** how long a plugin may take to load, to make or to close one part, in milliseconds; default 30,000 */
  readonly pluginTimeoutMs?: number | undefined;
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);
const object = (message: string) => z.custom<never>(isObject, { error: message }).optional();

const optionsSchema = z.strictObject({
  config: object("must be a configuration, or { file: path }"),
  plugins: z.array(z.unknown()).optional(),
  stateRoot: z.string().optional(),
  logger: object("must be a logger"),
  clock: object("must be a clock"),
  cwd: z.string().optional(),
  env: object("must be an object of variables"),
  pluginTimeoutMs: z.number().positive().optional(),
}) satisfies z.ZodType<{ readonly [K in keyof KeepsakeOptions]: unknown }>;

/**
 * Refuses options that are none, for those who call without types: a misspelt one would be ignored in silence.
 *
 * @throws KeepsakeError `E_CONFIG` with all problems at once
 */
export function checkKeepsakeOptions(options: unknown): void {
  const { error } = optionsSchema.safeParse(options);
  if (error === undefined) return;
  const problems = new ConfigProblems({ file: "(options)", locate: () => undefined });
  for (const issue of error.issues) {
    if (issue.code !== "unrecognized_keys") problems.add(issue.path, issue.message);
    else for (const key of issue.keys) problems.add([key], unknownWord("option", key, optionsSchema.keyof().options));
  }
  problems.throwIfAny();
}
