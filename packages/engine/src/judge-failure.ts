import { type ErrorCode, isKeepsakeError } from "@keepsake/core";
import type { VerifyCheck } from "./memory-snapshotter.js";

/** The bundle is not what it was. */
const DAMAGE: readonly ErrorCode[] = [
  "E_INTEGRITY",
  "E_TRUNCATED",
  "E_TRAILING_DATA",
  "E_UNSAFE_PATH",
  "E_MANIFEST",
  "E_RECORD",
  "E_DATABASE_DAMAGED",
  "E_REPOSITORY_DAMAGED",
];

/** This program, with what it is given and configured, cannot look inside: that is no fault of the bundle. */
const UNREADABLE_HERE: readonly ErrorCode[] = [
  "E_FORMAT_TOO_NEW",
  "E_UNSUPPORTED",
  "E_PLUGIN_UNKNOWN",
  "E_IDENTITY",
  "E_DECRYPT",
];

/** What a failure means for the check that met it. */
export type Judgement = Required<Pick<VerifyCheck, "status" | "code" | "detail">>;

/**
 * Whether a failure is the bundle's.
 *
 * @throws the failure itself when it says nothing about the bundle: an abort, a defect, a store that cannot be reached, a
 *   configuration that is wrong
 */
export function judgeFailure(error: unknown): Judgement {
  if (!isKeepsakeError(error)) throw error;
  const { code, message: detail } = error;
  if (UNREADABLE_HERE.includes(code)) return { status: "not_checked", code, detail };
  // What is too large may have been made so, or the configuration may allow too little.
  if (code === "E_LIMIT" || DAMAGE.includes(code)) return { status: "failed", code, detail };
  throw error;
}

/** True of a check by which the bundle is not what it was: only that takes away what was found before. */
export function isAgainstBundle({ status, code }: VerifyCheck): boolean {
  return status === "failed" && DAMAGE.some((damage) => damage === code);
}
