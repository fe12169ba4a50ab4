import { copyFile, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isKeepsakeError, type Manifest } from "@keepsake/core";
import Database from "better-sqlite3";
import { git } from "./agent-memory.js";
import { execute } from "./execute.js";
import { type KeepsakeCase, keepsakeCase } from "./keepsake-case.js";
import { RunningProgram } from "./running-program.js";
import { storedFiles } from "./unpack-by-programs.js";

const NAMES = ["a", "b", "c", "d"];

/** Who writes what, and how many snapshots are taken meanwhile. */
export interface CutScenario {
  readonly what: string;
  readonly snapshots: number;
  readonly journalMode: "wal" | "delete";
  /** also a JSONL, a note and a commit */
  readonly withFiles: boolean;
  /** between a writer's turns, at most, in milliseconds */
  readonly longestPauseMs: number;
  /** files that nobody writes: many of them make every look take its time */
  readonly otherNotes?: number;
}

/** What came of it. */
export interface CutProof {
  /** every bundle's numbers, as other programs read them */
  readonly bundles: readonly (readonly string[])[];
  readonly cuts: readonly Manifest["cut"][];
  /** codes of the snapshots that were refused */
  readonly refusals: readonly string[];
  /** the numbers of copies made one after the other */
  readonly naive: readonly (readonly string[])[];
  /** turns that were written meanwhile */
  readonly turns: number;
}

/** Has several programs write, takes snapshots and naive copies, and has other programs read what the bundles hold. */
export async function proveCut(scenario: CutScenario): Promise<CutProof> {
  await using box = await keepsakeCase({ cut: { attempts: 10 } });
  await makeMemory(box, scenario);
  const taken: { readonly bundle: string; readonly cut: Manifest["cut"] }[] = [];
  const refusals: string[] = [];
  const naive: (readonly string[])[] = [];
  let turns: number;
  {
    await using one = nodeWriter(box, scenario);
    await using two = sqlite3Writer(box, scenario);
    const writers = [one, two];
    for (const writer of writers) await writer.told(2);
    for (let count = 0; count < 6; count++) naive.push(await copyOneAfterTheOther(box, scenario));
    const before = writers.reduce((sum, { lines }) => sum + lines.length, 0);
    while (taken.length < scenario.snapshots && refusals.length <= scenario.snapshots) {
      try {
        const { record, manifest } = await box.keepsake.snapshot({ agent: "ana" });
        taken.push({ bundle: storedFiles(box.stateRoot, record.bundlePath).bundle, cut: manifest?.cut });
      } catch (error) {
        if (!isKeepsakeError(error)) throw error;
        refusals.push(error.code);
      }
    }
    for (const writer of writers) if (writer.ended) throw new Error(`a writer failed after ${writer.last}`);
    turns = writers.reduce((sum, { lines }) => sum + lines.length, 0) - before;
  }
  const bundles = await numbersOf(
    taken.map(({ bundle }) => bundle),
    box.temp.join("unpacked"),
    scenario.withFiles,
  );
  return { bundles, cuts: taken.map(({ cut }) => cut), refusals, naive, turns };
}

/** One line for the reader of the log. */
export function tellProof(scenario: CutScenario, { bundles, cuts, refusals, naive, turns }: CutProof): void {
  const most = (pick: (cut: NonNullable<Manifest["cut"]>) => number): number =>
    Math.max(...cuts.map((cut) => (cut === undefined ? 0 : pick(cut))));
  const attempts = cuts.reduce((sum, cut) => sum + (cut?.attempts ?? 0), 0);
  console.log(
    `${scenario.what}: ${String(bundles.length)} snapshots during ${String(turns)} turns, ` +
      `skew in ${String(bundles.filter(isSkewed).length)}; refused ${String(refusals.length)}; ` +
      `attempts ${String(attempts)}, at most ${String(most((cut) => cut.attempts))}; ` +
      `longest hold ${String(most((cut) => cut.heldMs))} ms; ` +
      `naive copies: skew in ${String(naive.filter(isSkewed).length)} of ${String(naive.length)}`,
  );
}

/** True when they are not all one number. */
export function isSkewed(numbers: readonly string[]): boolean {
  return new Set(numbers).size !== 1;
}

async function makeMemory({ memory, temp }: KeepsakeCase, scenario: CutScenario): Promise<void> {
  for (const name of NAMES) {
    const database = new Database(join(memory, `${name}.sqlite`));
    database.pragma(`journal_mode = ${scenario.journalMode}`);
    database.exec("CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0)");
    database.close();
  }
  if (!scenario.withFiles) return;
  await mkdir(join(memory, "others"));
  for (let index = 0; index < (scenario.otherNotes ?? 5); index++) {
    await writeFile(join(memory, "others", `${String(index)}.md`), `note ${String(index)}\n`);
  }
  await writeFile(temp.join("turn.sh"), TURN);
  await writeFile(join(memory, "note.md"), "0\n");
  await writeFile(join(memory, "log.jsonl"), '{"n":0}\n');
  await writeFile(join(memory, ".gitignore"), "*.sqlite*\nothers\n");
  await git(memory, "init", "-q", "-b", "main");
  for (const [key, value] of Object.entries(GIT_CONFIG)) await git(memory, "config", key, value);
  await git(memory, "add", "-A");
  await git(memory, "commit", "-q", "-m", "0");
}

const GIT_CONFIG = { "user.name": "Ana", "user.email": "ana@example.com", "gc.auto": "0", "commit.gpgsign": "false" };

/** The part of a turn that is no database. A commit leaves three loose objects: now and then they are packed. */
const TURN = `set -e
echo '{"n":'$1'}' >> log.jsonl
echo $1 > note.tmp
mv note.tmp note.md
git commit -q -a -m $1
if [ $(($1 % 40)) = 0 ]; then git repack -d -q; fi
`;

function nodeWriter({ memory, temp }: KeepsakeCase, { longestPauseMs, withFiles }: CutScenario): RunningProgram {
  const files = withFiles ? "yes" : "no";
  return RunningProgram.node("turn-writer.mjs", memory, String(longestPauseMs), files, temp.join("turn.sh"));
}

/** The sqlite3 program, told beforehand what to do in thousands of turns. */
function sqlite3Writer({ memory, temp }: KeepsakeCase, { longestPauseMs, withFiles }: CutScenario): RunningProgram {
  const program = RunningProgram.start("sqlite3", join(memory, "a.sqlite"));
  const number = temp.join("sqlite3-number");
  const attach = NAMES.slice(1).map((name) => `ATTACH '${join(memory, `${name}.sqlite`)}' AS ${name};`);
  const turn = [
    "BEGIN IMMEDIATE;",
    "UPDATE main.counter SET n = n + 1;",
    ...NAMES.slice(1).map((name) => `UPDATE ${name}.counter SET n = (SELECT n FROM main.counter);`),
    ...(withFiles ? [`.once ${number}`, "SELECT n FROM main.counter;", `.shell sh ../turn.sh $(cat ${number})`] : []),
    "COMMIT;",
    "SELECT n FROM main.counter;",
  ];
  const pause = (): string => `.shell sleep ${String((Math.random() * longestPauseMs) / 1000)}`;
  const turns = Array.from({ length: 20_000 }, () => (longestPauseMs === 0 ? turn : [...turn, pause()])).flat();
  program.send(`${[".bail on", `.cd ${memory}`, ".timeout 60000", ...attach, ...turns].join("\n")}\n`);
  return program;
}

/** What a backup script does: each database by an online backup, in order, then the files, then the repository. */
async function copyOneAfterTheOther({ memory, temp }: KeepsakeCase, scenario: CutScenario): Promise<readonly string[]> {
  const copy = await mkdtemp(temp.join("naive-"));
  const numbers: string[] = [];
  for (const name of NAMES) {
    const database = new Database(join(memory, `${name}.sqlite`), { readonly: true, timeout: 60_000 });
    await database.backup(join(copy, `${name}.sqlite`));
    database.close();
    const copied = new Database(join(copy, `${name}.sqlite`));
    numbers.push(String(copied.prepare("SELECT n FROM counter").pluck().get()));
    copied.close();
  }
  if (!scenario.withFiles) return numbers;
  for (const name of ["log.jsonl", "note.md"]) await copyFile(join(memory, name), join(copy, name));
  await git(copy, "clone", "-q", "--bare", memory, join(copy, "git"));
  const read = await execute("bash", ["-c", READ_FILES, "read", copy, join(copy, "git")]);
  numbers.push(...read.stdout.toString().trim().split(" "));
  return numbers;
}

/** The last number of the JSONL, how many lines it has beyond the first, the note, and the last commit. */
const READ_FILES = `tail -n 1 "$1/log.jsonl" | tr -dc 0-9
echo -n " $(($(wc -l < "$1/log.jsonl") - 1)) $(cat "$1/note.md") $(git --git-dir "$2" log -1 --format=%s)"`;

/** Unpacks bundle after bundle by tar and zstd, and reads it by sqlite3 and git; a line for each. */
const READ_BUNDLES = `set -euo pipefail
to="$1"; files="$2"; shift 2
for bundle; do
  mkdir "$to"
  zstd -q -d -c "$bundle" | tar -x -C "$to"
  for name in a b c d; do echo -n "$(sqlite3 "$to/sqlite/$name.sqlite" 'SELECT n FROM counter') "; done
  if [ "$files" = yes ]; then bash -c "$READ_FILES" read "$to/memory_files" "$to/git"; fi
  echo
  rm -rf "$to"
done`;

async function numbersOf(
  bundles: readonly string[],
  to: string,
  withFiles: boolean,
): Promise<readonly (readonly string[])[]> {
  const args = ["-c", READ_BUNDLES, "read", to, withFiles ? "yes" : "no", ...bundles];
  const { stdout } = await execute("bash", args, { env: { READ_FILES } });
  return stdout
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => line.trim().split(" "));
}
