import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type DiskCall,
  DiskFaults,
  type ProgramRun,
  type ResidentProgram,
  type Strike,
  writeTree,
} from "@keepsake/testkit";
import Database from "better-sqlite3";
import { makeDatabase, makeMemory } from "./agent-memory.js";
import { BundledProgram } from "./bundled-program.js";
import { CrashWorld, type WorldContent, type WorldState } from "./crash-world.js";
import type { Operation } from "./operation.js";
import { wreckMemory } from "./wreck-memory.js";

export const AGENT = { agent: "ana" };
export const OLDER = { ...AGENT, ref: "latest~1" };

/** How far a restore is interrupted when it is to be recovered. */
type Interruption = "committed" | "intent";

/**
 * A world in several saved shapes, and what a restore makes of its memory: "plain" with two snapshots and a memory that has
 * gone on since; "exported", where the older one is a file outside alone; "intent" and "committed" with a restore that was
 * killed when all was in place, before and after its journal said so.
 */
export class CrashGround implements AsyncDisposable {
  readonly world: CrashWorld;
  readonly bundled: BundledProgram;
  readonly #faults: DiskFaults;
  readonly #program: ResidentProgram;
  before: WorldState;
  after: WorldState;

  private constructor(world: CrashWorld, faults: DiskFaults, bundled: BundledProgram) {
    this.world = world;
    this.#faults = faults;
    this.bundled = bundled;
    this.#program = faults.resident({ argv: [process.execPath, bundled.path("operate")] });
  }

  /** @param root see `CrashWorld.make` */
  static async make(content: WorldContent, root?: string): Promise<CrashGround> {
    const bundled = await BundledProgram.make();
    const world = await CrashWorld.make(await bundled.load(), content, root);
    const ground = new CrashGround(world, await DiskFaults.prepare(), bundled);
    ground.before = await world.state();
    await ground.#saveExported();
    const calls = await ground.#restoreUntouched();
    await ground.#saveInterrupted("committed", calls);
    await ground.#saveInterrupted("intent", calls);
    return ground;
  }

  /** Runs an operation in a process of its own. */
  run(operation: Operation, strike?: Strike): Promise<ProgramRun> {
    return this.#program.ask(JSON.stringify(this.world.placed(operation)), { within: this.world.root, strike });
  }

  /** The bundle that was exported, in the shape "exported". */
  async bundleFile(): Promise<string> {
    const names = await readdir(this.world.outside);
    return join(this.world.outside, names.find((name) => name.endsWith(".tar.zst")) ?? "");
  }

  async #saveExported(): Promise<void> {
    {
      await using keepsake = await this.world.open();
      await keepsake.export({ ...OLDER, to: this.world.outside });
      await keepsake.delete(OLDER);
    }
    await this.world.save("exported");
  }

  async #restoreUntouched(): Promise<readonly DiskCall[]> {
    await this.world.bringBack("plain");
    const { calls, said, stderr } = await this.run({ name: "restore", request: OLDER });
    if (!said.startsWith('{"result":')) throw new Error(`The untouched restore failed: ${said} ${stderr}`);
    this.after = await this.world.state();
    return calls;
  }

  /** The last journal that gets its name is the one that says "committed". */
  async #saveInterrupted(phase: Interruption, calls: readonly DiskCall[]): Promise<void> {
    await this.world.bringBack("plain");
    const said = calls.filter(({ name, other }) => name.startsWith("rename") && other?.endsWith("/ana.json")).at(-1);
    const at = (said?.ordinal ?? 0) + (phase === "committed" ? 1 : 0);
    await this.run({ name: "restore", request: OLDER }, { at, fault: { kill: "caller" } });
    const found = await this.world.journalPhase();
    if (found !== phase) throw new Error(`The interrupted restore is at ${String(found)}, not at ${phase}.`);
    await this.world.save(phase);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await this.bundled[Symbol.asyncDispose]();
    await this.#faults[Symbol.asyncDispose]();
    await this.world[Symbol.asyncDispose]();
  }
}

/** Notes and state values. */
export const NOTES: WorldContent = {
  sources: ["memdir"],
  async fill(world) {
    await writeTree(world.memory, {
      "MEMORY.md": "# Index\n",
      "topics/a.md": "one\n",
      "topics/deep/b.md": "two\n",
      "gone-later": { directory: true },
      latest: { link: "topics/a.md" },
      "tool.sh": { file: "#!/bin/sh\n", mode: 0o755 },
    });
    await withValues(world, async () => {
      await writeTree(world.memory, { "MEMORY.md": "other\n", "topics/new.md": "n\n", "added/x.md": "x" });
      await rm(join(world.memory, "gone-later"), { recursive: true });
      await rm(join(world.memory, "latest"));
      await rm(join(world.memory, "topics", "deep"), { recursive: true });
    });
  },
};

/** More notes than are synced one by one. */
const MANY_NOTES: WorldContent = {
  sources: ["memdir"],
  async fill(world) {
    const write = (text: string): Promise<void> =>
      writeTree(
        world.memory,
        Object.fromEntries(Array.from({ length: 12 }, (_none, index) => [`topics/${String(index)}.md`, text])),
      );
    await write("one\n".repeat(3000));
    await withValues(world, () => write("other\n"));
  },
};

/** Two databases whose transactions belong together, each with a log that their agent writes on. */
const PAIR: WorldContent = {
  sources: ["sqlite"],
  async fill(world) {
    const pair = ["long_term.sqlite", "short.sqlite"].map((name) => makeDatabase(join(world.memory, name), 20));
    await withValues(world, async () => {
      for (const database of pair) database.exec("DELETE FROM memories WHERE id > 5; CREATE TABLE later (a)");
    });
    for (const database of pair) database.close();
  },
};

/**
 * A whole memory: notes, a repository with uncommitted edits, state values, and a database with rows in its log, which its
 * writer left behind. Of each there is little, for every call of what is done with it is a point to be struck.
 */
const ALL: WorldContent = {
  sources: ["sqlite", "git", "memdir"],
  async fill(world) {
    const database = await makeMemory(world.memory, { notes: 3, rows: 20, commits: 2, packed: true });
    await withValues(world, async () => {
      await wreckMemory(world.memory, database);
      const left = new Database(join(world.memory, "long_term.sqlite"));
      left.exec("INSERT INTO intruder VALUES (2)");
      // As it is while the writer has it open: so it stays when the writer is killed.
      await world.save("open");
      left.close();
      await world.bringBack("open");
    });
  },
};

export const groundOfNotes = (root?: string): Promise<CrashGround> => CrashGround.make(NOTES, root);
export const groundOfManyNotes = (root?: string): Promise<CrashGround> => CrashGround.make(MANY_NOTES, root);
export const groundOfPair = (): Promise<CrashGround> => CrashGround.make(PAIR);
export const groundOfAll = (root?: string): Promise<CrashGround> => CrashGround.make(ALL, root);

async function withValues(world: CrashWorld, goOn: () => Promise<void>): Promise<void> {
  await writeFile(join(world.run, "cursor.json"), '{"line":1}');
  await using keepsake = await world.open();
  await keepsake.snapshot({ ...AGENT, label: "older" });
  await keepsake.snapshot({ ...AGENT, label: "newer" });
  await writeFile(join(world.run, "cursor.json"), '{"line":2}');
  await writeFile(join(world.run, "dream.json"), '"asleep"');
  await goOn();
}
