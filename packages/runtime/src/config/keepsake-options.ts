import { z } from "zod";
import type { KeepsakeOptions } from "../create-keepsake.js";
import { ConfigProblems } from "./problems.js";
import { unknownWord } from "./suggestion.js";

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
