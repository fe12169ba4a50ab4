import { isAbortError, isKeepsakeError, KeepsakeError } from "@keepsake/core";
import { TimeLimitError, withTimeLimit } from "./time-limit.js";

/** Which part of which plugin is called; stands in the errors. */
export interface PluginPart {
  readonly plugin: string;
  /** "store provider acme" */
  readonly part: string;
}

/**
 * Calls into a plugin under a time limit, and keeps what it throws: a KeepsakeError passes with the plugin's name added
 * to its context, an abort passes as it is, anything else becomes the cause of `E_PLUGIN_FAILED`.
 *
 * @param late what to do with a value that comes after the time limit
 * @throws KeepsakeError `E_PLUGIN_TIMEOUT`, `E_PLUGIN_FAILED`, or the plugin's own
 */
export async function callPlugin<T>(
  { plugin, part }: PluginPart,
  timeoutMs: number,
  call: () => T | Promise<T>,
  late?: (value: T) => void,
): Promise<T> {
  try {
    return await withTimeLimit(new Promise<T>((resolve) => resolve(call())), timeoutMs, late);
  } catch (error) {
    throw pluginError(error, { plugin, part }, timeoutMs);
  }
}

function pluginError(error: unknown, who: PluginPart, timeoutMs: number): Error {
  const { plugin, part } = who;
  if (!(error instanceof TimeLimitError)) return pluginFailure(error, who);
  return new KeepsakeError("E_PLUGIN_TIMEOUT", `The ${part} of plugin ${plugin} was not ready in ${timeoutMs} ms.`, {
    context: { plugin, part, timeout_ms: timeoutMs },
  });
}

/** What a plugin threw, with its name. */
export function pluginFailure(error: unknown, { plugin, part }: PluginPart): Error {
  if (isKeepsakeError(error)) {
    // The same object, so that its class, stack and cause stay; a frozen one keeps its context.
    Reflect.set(error, "context", { ...error.context, plugin });
    return error;
  }
  if (error instanceof Error && isAbortError(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new KeepsakeError("E_PLUGIN_FAILED", `The ${part} of plugin ${plugin} failed: ${reason}`, {
    cause: error,
    context: { plugin, part },
  });
}
