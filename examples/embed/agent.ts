import { appendFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openKeepsake } from "@keepsake/standard";

/** A dream rewrites the memory: this one keeps every note and adds one. */
export async function goodDream(memory: string): Promise<void> {
  await appendFile(join(memory, "dreams.md"), "- the notes of May belong together\n");
}

/** This one "tidies up". */
export async function badDream(memory: string): Promise<void> {
  for (const name of await readdir(memory)) if (name !== "dreams.md") await rm(join(memory, name));
  await writeFile(join(memory, "dreams.md"), "nothing was worth keeping\n");
}

/** One thing that a dream changed. */
export interface Change {
  readonly path: string;
  readonly change: "added" | "removed" | "changed";
}

/** A dream to be had, and who judges it. */
export interface DreamRequest {
  /** the agent's memory directory */
  readonly memory: string;
  /** where snapshots, locks and journals are: outside the memory, on a disk of this machine */
  readonly stateRoot: string;
  readonly dream: (memory: string) => Promise<void>;
  readonly isGood: (changes: readonly Change[]) => boolean;
}

/** Lets an agent dream, and gives its memory back as it was when the dream was not good. */
export async function dreamSafely({ memory, stateRoot, dream, isGood }: DreamRequest) {
  // Not redacted: what is to be put back must be whole.
  await using keepsake = await openKeepsake({ stateRoot, config: { redaction: { default: false } } });
  const agent = { agent: "ana", memory };

  const before = await keepsake.snapshot({ ...agent, label: "before the dream" });
  await dream(memory);
  const after = await keepsake.snapshot({ ...agent, label: "after the dream" });

  const { sources } = await keepsake.diff({ agent: "ana", from: before.record.id, to: after.record.id });
  const changes = sources.flatMap((source) => source.items);
  if (isGood(changes)) return { kept: true, changes };

  // Without a pre-restore snapshot: the one taken after the dream undoes this restore already.
  await keepsake.restore({ ...agent, ref: before.record.id, preSnapshot: false });
  return { kept: false, changes };
}
