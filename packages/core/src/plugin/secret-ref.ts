import { z } from "zod";
import type { SecretRef } from "./tokens.js";

/**
 * The schema of an option that is a secret: `{ env: NAME }` or `{ file: path }`. A plain string is refused, so that no
 * secret gets into a configuration file; the message does not repeat it.
 */
export const secretRefSchema: z.ZodType<SecretRef> = z.union(
  [z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })],
  { error: "a secret is written as a reference, { env: NAME } or { file: path }, never as the value itself" },
);
