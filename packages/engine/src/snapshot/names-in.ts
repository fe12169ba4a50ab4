import { readdir } from "node:fs/promises";
import { errnoOf } from "@keepsake/core";

/** The names in a folder of Keepsake's own; none where there is no such folder. */
export async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return [];
    throw error;
  }
}
