import { isAbortError, isKeepsakeError, KeepsakeError } from "@keepsake/core/basics";
import type { WireError } from "./protocol.js";
import { keepsakeErrorOf } from "./sqlite-error.js";

/** An error as plain data. SQLite's and the system's own become KeepsakeErrors here. */
export function toWireError(error: unknown): WireError {
  if (error instanceof Error && isAbortError(error)) return { name: "AbortError", message: error.message };
  const known = isKeepsakeError(error) ? error : keepsakeErrorOf(error, "The databases could not be read or written");
  const cause = known.cause;
  return {
    name: known.name,
    message: known.message,
    code: known.code,
    context: known.context,
    hint: known.hint,
    retry: known.retry,
    ...(cause instanceof Error ? { reason: `${cause.name}: ${cause.message}` } : {}),
  };
}

/** The error that {@link toWireError} described. */
export function fromWireError(wire: WireError): Error {
  if (wire.code === undefined) return Object.assign(new Error(wire.message), { name: wire.name });
  return new KeepsakeError(wire.code, wire.message, {
    ...(wire.context === undefined ? {} : { context: wire.context }),
    ...(wire.retry === undefined ? {} : { retry: wire.retry }),
    ...(wire.reason === undefined ? {} : { cause: new Error(wire.reason) }),
    hint: wire.hint,
  });
}
