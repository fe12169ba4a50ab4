import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isKeepsakeError, type Manifest } from "@keepsake/core";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { type KeepsakeCase, keepsakeCase } from "./support/keepsake-case.js";
import { havePrograms } from "./support/programs.js";
import { RunningProgram } from "./support/running-program.js";
import { storedFiles, unpackByPrograms } from "./support/unpack-by-programs.js";

const agent = "ana";
const NAMES = ["a", "b", "c", "d"];
const SNAPSHOTS = 15;
const tools = havePrograms("zstd", "tar", "sqlite3");

/** What one copy of the memory says everywhere where the last number stands. */
async function countersOf(databases: string, notes: string | undefined): Promise<readonly number[]> {
  const counters = NAMES.map((name) => {
    const database = new Database(join(databases, `${name}.sqlite`));
    const n = database.prepare("SELECT n FROM counter").pluck().get() as number;
    database.close();
    return n;
  });
  if (notes === undefined) return counters;
  const lines = (await readFile(join(notes, "log.jsonl"), "utf8")).trim().split("\n");
  const last = JSON.parse(lines.at(-1) ?? "{}") as { n: number };
  return [...counters, last.n, Number(await readFile(join(notes, "note.md"), "utf8"))];
}

interface Taken {
  readonly counters: readonly number[];
  readonly cut: Manifest["cut"];
}

/** Takes a snapshot and reads its counters by other programs. */
async function snapshotOnce(
  { keepsake, stateRoot, temp }: KeepsakeCase,
  { withFiles }: { readonly withFiles: boolean },
): Promise<Taken> {
  const { record, manifest } = await keepsake.snapshot({ agent });
  const { bundle } = storedFiles(stateRoot, record.bundlePath);
  const unpacked = await unpackByPrograms(bundle, temp.join(`u${record.id}`));
  const counters = await countersOf(join(unpacked, "sqlite"), withFiles ? join(unpacked, "memory_files") : undefined);
  return { counters, cut: manifest?.cut };
}

/** Takes snapshots under load. */
async function snapshotsUnderLoad(box: KeepsakeCase, how: { readonly withFiles: boolean }): Promise<readonly Taken[]> {
  const taken: Taken[] = [];
  for (let count = 0; count < SNAPSHOTS; count++) taken.push(await snapshotOnce(box, how));
  return taken;
}

/** What the machine and the day made of it; for the reader of the log. */
function tell(what: string, taken: readonly Taken[]): void {
  const column = (pick: (cut: NonNullable<Manifest["cut"]>) => number): string =>
    taken.map(({ cut }) => (cut === undefined ? "?" : pick(cut).toFixed(0))).join(" ");
  console.log(`${what}: attempts ${column((cut) => cut.attempts)}; held ms ${column((cut) => cut.heldMs)}`);
}

/** Copies one after the other, each by itself in order: what a backup script does. Until the copies disagree. */
async function naiveSkew(memory: string, to: string, withFiles: boolean): Promise<readonly number[] | undefined> {
  for (let round = 0; round < 500; round++) {
    const copy = join(to, String(round));
    await mkdir(copy, { recursive: true });
    for (const name of NAMES) {
      const database = new Database(join(memory, `${name}.sqlite`), { readonly: true, timeout: 10_000 });
      await database.backup(join(copy, `${name}.sqlite`));
      database.close();
    }
    if (withFiles) for (const name of ["log.jsonl", "note.md"]) await copyFile(join(memory, name), join(copy, name));
    const counters = await countersOf(copy, withFiles ? copy : undefined);
    if (new Set(counters).size > 1) return counters;
  }
  return undefined;
}

describe.runIf(tools)("an agent that writes all the time", () => {
  it("into four databases: every snapshot shows one moment, at the first attempt; naive copies do not", async () => {
    await using box = await keepsakeCase();
    await using program = RunningProgram.node("counter-agent.mjs", box.memory, "0", "2", "no", "together");
    await program.told(10);
    expect(await naiveSkew(box.memory, box.temp.join("naive"), false), "copies one after the other").toBeDefined();
    const taken = await snapshotsUnderLoad(box, { withFiles: false });
    tell("four databases, pauses of 0 to 2 ms", taken);
    for (const { counters, cut } of taken) {
      expect(cut).toMatchObject({ consistency: "instant" });
      expect(new Set(counters), String(counters)).toHaveProperty("size", 1);
    }
    expect(isRising(taken.map(({ counters }) => counters[0] ?? 0))).toBe(true);
  }, 180_000);

  it("into one database after the other: every snapshot is a moment between two of the writes", async () => {
    await using box = await keepsakeCase();
    await using program = RunningProgram.node("counter-agent.mjs", box.memory, "0", "2", "no", "one by one");
    await program.told(10);
    const taken = await snapshotsUnderLoad(box, { withFiles: false });
    tell("one after the other", taken);
    for (const { counters } of taken) {
      const [first = 0] = counters;
      // Those written first are one ahead, the others behind; never the other way round, never by two.
      const ahead = counters.filter((n) => n === first).length;
      expect(counters).toEqual(NAMES.map((_name, index) => (index < ahead ? first : first - 1)));
    }
  }, 180_000);

  it("into databases, a JSONL and a note, with pauses as between an agent's turns: all of a snapshot agree", async () => {
    await using box = await keepsakeCase({ cut: { attempts: 50 } });
    await using program = RunningProgram.node("counter-agent.mjs", box.memory, "200", "900", "yes", "together");
    await program.told(3);
    await using hasty = await keepsakeCase();
    await using busy = RunningProgram.node("counter-agent.mjs", hasty.memory, "0", "5", "yes", "together");
    await busy.told(10);
    expect(await naiveSkew(hasty.memory, hasty.temp.join("naive"), true), "copies one after the other").toBeDefined();
    await busy.kill();
    const taken = await snapshotsUnderLoad(box, { withFiles: true });
    tell("databases and files, pauses of 200 to 900 ms", taken);
    for (const { counters, cut } of taken) {
      expect(["instant", "fenced"]).toContain(cut?.consistency);
      expect(new Set(counters), String(counters)).toHaveProperty("size", 1);
    }
  }, 300_000);

  it("as the sqlite3 program, all four databases in one transaction: all of a snapshot agree", async () => {
    await using box = await keepsakeCase({ cut: { attempts: 50 } });
    {
      await using starter = RunningProgram.node("counter-agent.mjs", box.memory, "0", "1", "yes", "together");
      await starter.told(5);
    }
    await writeFile(box.temp.join("turn.sh"), TURN);
    await using program = RunningProgram.start("sqlite3", join(box.memory, "a.sqlite"));
    program.send(turnsOfSqlite3(box.memory, { from: 1001, to: 1400, pauseSecs: 0.6 }));
    await program.told(2);
    const taken = await snapshotsUnderLoad(box, { withFiles: true });
    tell("the sqlite3 program, pauses of 600 ms", taken);
    for (const { counters, cut } of taken) {
      expect(["instant", "fenced"]).toContain(cut?.consistency);
      expect(new Set(counters), String(counters)).toHaveProperty("size", 1);
    }
    expect(taken.at(-1)?.counters[0]).toBeGreaterThan(1000);
  }, 300_000);

  it("its files without a pause: what is taken shows one moment, and what cannot be proven to is refused", async () => {
    await using box = await keepsakeCase({ cut: { attempts: 3 } });
    await using program = RunningProgram.node("counter-agent.mjs", box.memory, "0", "1", "yes", "together");
    await program.told(10);
    const outcomes: string[] = [];
    for (let count = 0; count < 8; count++) {
      outcomes.push(
        await snapshotOnce(box, { withFiles: true }).then(
          ({ counters }) => (new Set(counters).size === 1 ? "one moment" : `skewed: ${String(counters)}`),
          (error: unknown) => (isKeepsakeError(error) ? error.code : String(error)),
        ),
      );
    }
    // How many of each there are is the machine's affair; nothing else may occur, and what was refused is not there.
    expect(outcomes.filter((outcome) => outcome !== "one moment" && outcome !== "E_SOURCE_CHANGED")).toEqual([]);
    const { snapshots } = await box.keepsake.list({ agent });
    expect(snapshots).toHaveLength(outcomes.filter((outcome) => outcome === "one moment").length);
    const { manifest } = await box.keepsake.snapshot({ agent, allowPartial: true });
    expect(["instant", "fenced", "best_effort"]).toContain(manifest?.cut?.consistency);
  }, 300_000);
});

/** What the sqlite3 program has a shell do inside of its transaction. */
const TURN = `echo '{"n":'$1'}' >> log.jsonl; echo $1 > note.tmp; mv note.tmp note.md`;

/** Commands for the sqlite3 program: one logical write after the other, each told when it is done. */
function turnsOfSqlite3(
  memory: string,
  { from, to, pauseSecs }: { from: number; to: number; pauseSecs: number },
): string {
  const attach = ["b", "c", "d"].map((name) => `ATTACH '${join(memory, `${name}.sqlite`)}' AS ${name};`);
  const lines = [".bail on", `.cd ${memory}`, ".timeout 10000", ...attach];
  for (let n = from; n <= to; n++) {
    lines.push(
      "BEGIN IMMEDIATE;",
      ...["main", "b", "c", "d"].map((name) => `UPDATE ${name}.counter SET n = ${String(n)};`),
    );
    lines.push(`.shell sh ../turn.sh ${String(n)}`, "COMMIT;");
    lines.push(`.shell echo ${String(n)}; sleep ${String(pauseSecs)}`);
  }
  return `${lines.join("\n")}\n`;
}

function isRising(numbers: readonly number[]): boolean {
  return numbers.every((n, index) => index === 0 || n > (numbers[index - 1] ?? 0));
}
