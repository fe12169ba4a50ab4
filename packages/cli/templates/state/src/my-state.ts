import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  errnoOf,
  fromSystemError,
  isJsonObject,
  type JsonObject,
  KeepsakeError,
  type StateProvider,
  type StateTarget,
} from "@keepsake/core";
import { replaceFileDurably } from "@keepsake/files";

export interface MyStateOptions {
  readonly id?: string | undefined;
  /** absolute path of the folder that holds `<tenant>.<agent>.json`, one file for each agent */
  readonly folder: string;
  /** the members of that file which are captured and restored; others are left alone */
  readonly keys: readonly string[];
}

/** Values that an agent's programs keep as members of one JSON file: cursors, the row of the last run. */
export function myState({ id = "my-state", folder, keys }: MyStateOptions): StateProvider {
  const fileOf = ({ agent }: StateTarget): string => join(folder, `${agent.tenant}.${agent.agent}.json`);
  return {
    id,
    keys,

    async *capture(target, { signal } = {}) {
      signal?.throwIfAborted();
      const values = await readValues(fileOf(target));
      for (const key of keys) {
        const value = Object.hasOwn(values, key) ? values[key] : undefined;
        if (value !== undefined) yield { key, value };
        signal?.throwIfAborted();
      }
    },

    async restore(target, items, { keep = [], signal } = {}) {
      signal?.throwIfAborted();
      const file = fileOf(target);
      const before = Object.entries(await readValues(file));
      const others = before.filter(([key]) => keep.includes(key) || !keys.includes(key));
      // `fromEntries` makes a member of any name, also of one that an assignment would take for the prototype.
      const after = Object.fromEntries([...others, ...items.map(({ key, value }) => [key, value] as const)]);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        // Written beside it and renamed: who reads meanwhile sees the old values or the new ones.
        await replaceFileDurably(file, Buffer.from(`${JSON.stringify(after)}\n`), { signal });
      } catch (error) {
        if (signal?.aborted === true && error === signal.reason) throw error;
        throw fromSystemError(error, `The state file ${file} could not be written`, { path: file });
      }
    },
  };
}

async function readValues(file: string): Promise<JsonObject> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return {};
    throw fromSystemError(error, `The state file ${file} could not be read`, { path: file });
  }
  const values = parsed(text);
  if (isJsonObject(values)) return values;
  // No part of the content goes into the message.
  throw new KeepsakeError("E_INTEGRITY", `The state file ${file} holds no JSON object.`, { context: { path: file } });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
