import { appendFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openKeepsake } from "@keepsake/standard";

/** @returns {import("@keepsake/standard").KeepsakeConfigInput} what of it is not said here has a default */
const configOf = (stateRoot) => ({ state_root: stateRoot, redaction: { default: false } });

/** A dream rewrites the memory: this one keeps every note and adds one. */
export async function goodDream(memory) {
  await appendFile(join(memory, "dreams.md"), "- the notes of May belong together\n");
}

/** This one "tidies up". */
export async function badDream(memory) {
  for (const name of await readdir(memory)) if (name !== "dreams.md") await rm(join(memory, name));
  await writeFile(join(memory, "dreams.md"), "nothing was worth keeping\n");
}

/**
 * Lets an agent dream, and gives its memory back as it was when it did not like what it dreamt.
 *
 * @param {string} memory the agent's memory directory
 * @param {string} stateRoot where snapshots, locks and journals are; outside the memory, on a disk of this machine
 * @param {(memory: string) => Promise<void>} dream
 * @param {(changes: readonly { path: string, change: string }[]) => boolean} isGood judges what the dream did
 */
export async function dreamSafely(memory, stateRoot, dream, isGood) {
  await using keepsake = await openKeepsake({ config: configOf(stateRoot) });
  const agent = { agent: "ana", memory };

  const before = await keepsake.snapshot({ ...agent, label: "before the dream" });
  await dream(memory);
  const after = await keepsake.snapshot({ ...agent, label: "after the dream" });

  const diff = await keepsake.diff({ ...agent, from: before.record.id, to: after.record.id });
  const changes = diff.sources.flatMap((source) => source.items);
  if (isGood(changes)) return { kept: true, changes };

  // Without a pre-restore snapshot: the one taken after the dream undoes this restore already.
  const report = await keepsake.restore({ ...agent, ref: before.record.id, preSnapshot: false });
  return { kept: false, changes, restored: report.from };
}
