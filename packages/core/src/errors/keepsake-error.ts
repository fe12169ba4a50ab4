import type { JsonObject } from "../json.js";
import { ERROR_CODES, type ErrorCode, isErrorCode, type RetryAdvice } from "./codes.js";

/** What a {@link KeepsakeError} carries beside code and message. */
export interface ErrorDetails {
  /** the error that led here */
  readonly cause?: unknown;
  /** facts for programs, snake_case; never a secret, never file content */
  readonly context?: JsonObject;
  /** one sentence: what the user can do */
  readonly hint?: string | undefined;
  /** overrides the advice of the code's row in the table */
  readonly retry?: RetryAdvice;
}

/** The one error class. Its code is stable; its message is for people and may change. */
export class KeepsakeError extends Error {
  override readonly name = "KeepsakeError";
  readonly code: ErrorCode;
  readonly context: JsonObject;
  readonly hint: string | undefined;
  readonly retry: RetryAdvice;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.context = details.context ?? {};
    this.hint = details.hint;
    this.retry = details.retry ?? ERROR_CODES[code].retry;
  }
}

/** True for a KeepsakeError, also one of another copy of this package (two versions installed side by side). */
export function isKeepsakeError(error: unknown, code?: ErrorCode): error is KeepsakeError {
  if (!(error instanceof Error) || error.name !== "KeepsakeError") return false;
  const candidate = (error as { code?: unknown }).code;
  return isErrorCode(candidate) && (code === undefined || candidate === code);
}

/** True for what an aborted `AbortSignal` throws. */
export function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
