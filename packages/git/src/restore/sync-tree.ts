import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { fsyncDirectory, walkTree } from "@keepsake/files";
import { eachAtOnce } from "../capture/each-at-once.js";

/** Makes everything below `root` survive a power cut. */
export async function syncTree(root: string, signal?: AbortSignal): Promise<void> {
  await eachAtOnce(walkTree(root, { signal }), 8, async (entry) => {
    if (entry.type === "directory") await fsyncDirectory(entry.absolute);
    if (entry.type !== "file") return;
    await using handle = await open(entry.absolute, constants.O_RDONLY);
    await handle.sync();
  });
  await fsyncDirectory(root);
}
