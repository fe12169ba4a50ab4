import { constants, lchownSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import { eachAtOnce } from "@keepsake/core";
import { type FsPath, fsyncDirectory, lookAt, type Owner, syncAtOnce, walkTree } from "@keepsake/files";

/** Whose a restored file is to be: as root, the owner of the folder it comes into; else nobody else's could be made. */
export async function ownerOf(folder: string): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (let at = folder; ; at = dirname(at)) {
    const stats = await lookAt(at);
    if (stats !== undefined) return { uid: Number(stats.uid), gid: Number(stats.gid) };
    if (at === dirname(at)) return undefined;
  }
}

/** Gives everything below `root` its owner, and makes it survive a power cut. */
export async function settleTree(root: string, owner: Owner | undefined, signal?: AbortSignal): Promise<void> {
  const [files, folders]: [FsPath[], FsPath[]] = [[], [root]];
  if (owner !== undefined) lchownSync(root, owner.uid, owner.gid);
  for await (const entry of walkTree(root, { signal })) {
    if (entry.type === "failed") throw entry.error;
    const { uid, gid } = entry.stats;
    if (owner !== undefined && (uid !== owner.uid || gid !== owner.gid)) {
      lchownSync(entry.absolute, owner.uid, owner.gid);
    }
    if (entry.type === "directory") folders.push(entry.absolute);
    if (entry.type === "file") files.push(entry.absolute);
  }
  if (await syncAtOnce(files.length, [root])) return;
  await eachAtOnce(files, async (file) => {
    await using handle = await open(file, constants.O_RDONLY);
    await handle.sync();
  });
  await eachAtOnce(folders, fsyncDirectory);
}
