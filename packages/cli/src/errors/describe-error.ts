import { isAbortError, isKeepsakeError, type JsonObject } from "@keepsake/core/basics";

/** What a user and a program are told of an error. */
export interface ErrorDescription {
  /** a stable code of core's table; `ABORT_ERR`, as Node names it, for an abort */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly context: JsonObject;
}

/** Describes anything thrown. The text of a foreign error is shown as it is: it is a defect to be reported. */
export function describeError(error: unknown): ErrorDescription {
  if (isAbortError(error)) return { code: "ABORT_ERR", message: "Aborted; nothing half-made was left.", context: {} };
  if (isKeepsakeError(error)) {
    const { code, message, hint, context } = error;
    return { code, message, ...(hint === undefined ? {} : { hint }), context };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    code: "E_INTERNAL",
    message,
    hint: "This is a defect in Keepsake or in a plugin; --verbose shows where.",
    context: {},
  };
}

/** `{"error": …}`, what `--json` prints on stderr. */
export function errorDocument(error: unknown): JsonObject {
  const { code, message, hint, context } = describeError(error);
  return { error: { code, message, ...(hint === undefined ? {} : { hint }), context } };
}
