import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { errnoOf, fromSystemError, type JsonValue, KeepsakeError } from "@keepsake/core";
import { InexactNumberError, refuseInexactNumbers } from "./exact-json.js";

/** A state value is a cursor or a row, not a database; in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;
/** A file that is being written in place is malformed for an instant. */
const ATTEMPTS = 5;

/**
 * Reads the value of a state file; undefined when there is no such file. A byte order mark is passed over.
 *
 * @throws KeepsakeError `E_STATE_DAMAGED` when it is no JSON, `E_UNSUPPORTED` when a number of it could not be given back exactly,
 *   `E_LIMIT` when it is over 64 MiB, `E_PERMISSION`. No message holds anything of the file's content.
 */
export async function readState(path: string, signal?: AbortSignal): Promise<JsonValue | undefined> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const text = await readText(path);
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value !== undefined) {
      checkNumbers(text, path);
      return value;
    }
    if (attempt < ATTEMPTS) await delay(5 * attempt, undefined, signal === undefined ? {} : { signal });
    // The parser's own error quotes the text.
    else throw new KeepsakeError("E_STATE_DAMAGED", `The state file ${path} is not valid JSON.`, { context: { path } });
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const handle = await open(path, "r");
    try {
      if ((await handle.stat()).size > MAX_BYTES) throw tooLarge(path);
      return (await handle.readFile("utf8")).replace(/^\uFEFF/, "");
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw fromSystemError(error, `The state file ${path} cannot be read`, { path });
  }
}

function tooLarge(path: string): KeepsakeError {
  return new KeepsakeError("E_LIMIT", `The state file ${path} is over ${String(MAX_BYTES)} bytes.`, {
    context: { path },
  });
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function checkNumbers(text: string, path: string): void {
  try {
    refuseInexactNumbers(text);
  } catch (error) {
    if (!(error instanceof InexactNumberError)) throw error;
    throw new KeepsakeError(
      "E_UNSUPPORTED",
      `The state file ${path} holds a number that would change: ${error.message}.`,
      {
        cause: error,
        context: { path },
        hint: "Write numbers of more than 15 digits as strings.",
      },
    );
  }
}
