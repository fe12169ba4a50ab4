import { ERROR_CODES, type ErrorCode, isAbortError, isKeepsakeError } from "@keepsake/core/basics";

import { ABORTED_EXIT } from "./aborted-exit.js";

/** The process exit code of an error code, by core's table. */
export function exitOf(code: ErrorCode): number {
  return ERROR_CODES[code].exit;
}

/** The process exit code of anything thrown: core's table, 130 for an abort, 1 for what is no error of ours. */
export function exitCodeOf(error: unknown): number {
  if (isAbortError(error)) return ABORTED_EXIT;
  return exitOf(isKeepsakeError(error) ? error.code : "E_INTERNAL");
}
