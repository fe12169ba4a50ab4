import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { meansMissing } from "./object-paths.js";
import { PARTIAL_PREFIX, removeIfAbandoned } from "./partial-file.js";

/**
 * Removes unfinished files below `folder` that nobody writes any more. Does not follow symbolic links.
 *
 * @param olderThanMs how long a file whose writer cannot be judged must not have been written to
 * @returns what was removed, relative to `folder`
 * @throws the system error
 */
export async function* sweepPartials(
  folder: string,
  olderThanMs: number,
  signal?: AbortSignal,
  keyPrefix = "",
): AsyncGenerator<string> {
  for (const entry of await entriesOf(folder)) {
    signal?.throwIfAborted();
    if (entry.isDirectory()) {
      yield* sweepPartials(join(folder, entry.name), olderThanMs, signal, `${keyPrefix}${entry.name}/`);
    } else if (entry.name.startsWith(PARTIAL_PREFIX) && (await removeIfAbandoned(folder, entry.name, olderThanMs))) {
      yield keyPrefix + entry.name;
    }
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (meansMissing(error)) return [];
    throw error;
  }
}
