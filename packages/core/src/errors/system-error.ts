import type { JsonObject } from "../json.js";
import type { ErrorCode } from "./codes.js";
import { isAbortError, isKeepsakeError, KeepsakeError } from "./keepsake-error.js";

const CODE_OF_ERRNO: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "E_NO_SPACE",
  EDQUOT: "E_NO_SPACE",
  EFBIG: "E_NO_SPACE",
  EACCES: "E_PERMISSION",
  EPERM: "E_PERMISSION",
  EROFS: "E_READ_ONLY",
  ENOENT: "E_NOT_FOUND",
  EEXIST: "E_ALREADY_EXISTS",
};

/** The `errno` name of a system error ("ENOENT"), or undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/**
 * Turns what a system call threw into a KeepsakeError; a KeepsakeError or an abort passes unchanged.
 *
 * @param sentence what was being done, without a full stop: "The bundle could not be written"
 */
export function fromSystemError(error: unknown, sentence: string, context: JsonObject = {}): Error {
  if (error instanceof Error && (isKeepsakeError(error) || isAbortError(error))) return error;
  const errno = errnoOf(error);
  const code = (errno === undefined ? undefined : CODE_OF_ERRNO[errno]) ?? "E_IO";
  const reason = errno ?? (error instanceof Error ? error.message : String(error));
  return new KeepsakeError(code, `${sentence} (${reason}).`, {
    cause: error,
    context: errno === undefined ? context : { ...context, errno },
  });
}
