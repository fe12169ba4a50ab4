import { chmod, lstat, open } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { check, same } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import { ofLive, ofRestore } from "./of-live.js";
import type { SourceSubject } from "./source-subject.js";

/** Longer than the coarsest clock that a file system stamps its files with, in milliseconds. */
const STAMPED_AFTER_MS = 5_000;

/** Other bytes in place: the same file, of the same size. Its time moves, which it does not within one tick of the kernel's clock. */
async function writeOver(place: string): Promise<void> {
  const stamp = async (): Promise<bigint> => (await lstat(place, { bigint: true })).mtimeNs;
  const before = await stamp();
  const deadline = performance.now() + STAMPED_AFTER_MS;
  await using handle = await open(place, "r+");
  const { size } = await handle.stat();
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  last.writeUInt8(last.readUInt8() ^ 1);
  do {
    await handle.write(last, 0, 1, size - 1);
    if ((await stamp()) !== before) return;
    await wait(1);
  } while (performance.now() < deadline);
}

/** A file that nobody may write is meant to be so, as git's objects are. */
async function writable(files: readonly string[]): Promise<readonly string[]> {
  const modes = await Promise.all(files.map(async (file) => (await lstat(file)).mode));
  return files.filter((_file, index) => ((modes[index] ?? 0) & 0o200) !== 0);
}

/** What holds of live files that are captured as they are: there the kit knows what to change. */
export const FILE_CAPTURE_CASES: readonly PortCase<SourceSubject>[] = [
  ofLive(
    "source.fence.rewrite",
    "The fence moves when a live file that is captured as it is gets as many other bytes in place.",
    async (world) => {
      const [file] = await world.plainFiles(await world.capture());
      await using session = await world.openCapture();
      if (file === undefined || session.fence === undefined) return;
      const before = await session.fence();
      await writeOver(file);
      check((await session.fence()) !== before, "A file was written over, and the fence did not move.");
    },
  ),
];

export const FILE_RESTORE_CASES: readonly PortCase<SourceSubject>[] = [
  ofRestore(
    "source.restore.modes",
    "Live files that are captured as they are come back with who may read and write them, whatever that was.",
    async (world) => {
      await world.live.make();
      const files = await writable(await world.plainFiles(await world.capture()));
      for (const mode of [0o600, 0o646]) {
        for (const file of files) await chmod(file, mode);
        const bundle = await world.capture();
        for (const file of files) await chmod(file, 0o664);
        await world.live.change();
        const plan = await world.stage(bundle);
        for (const what of ["commit", "finish"] as const) await world.step(what, plan);
        for (const file of files) same((await lstat(file)).mode & 0o777, mode, `The mode of ${file}.`);
      }
    },
  ),
];
