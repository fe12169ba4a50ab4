/**
 * Makes memories as agents have them, of real parts and without a network. A size is the same each time: notes to the byte,
 * commits to their ids, databases to their rows. What git and SQLite choose by chance stays (times in `.git/index`, salts of a -wal).
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { commit, makeRepository } from "./history.mjs";
import { Prose } from "./prose.mjs";
import { SeededRandom } from "./random.mjs";
import { SIZES } from "./sizes.mjs";
import { writeRows } from "./write-rows.mjs";

const TOPICS = 40;
const EDITS = 4;
/** Rows that are in a -wal alone: about 200 KB of it. */
const LIVE_ROWS = 40;

/** @param size a name of SIZES */
export function makeMemory(dir, size) {
  const content = SIZES[size];
  const random = new SeededRandom(size.length * 7_919);
  const prose = new Prose(random);
  for (let index = 0; index < content.notes; index++) {
    write(dir, noteAt(index), `# Note ${index}\n\n${prose.text(content.noteChars * (0.3 + 1.4 * random.next()))}\n`);
  }
  for (let index = 0; index < content.attachments; index++) {
    write(dir, join("attachments", `${index}.bin`), random.bytes(content.attachmentBytes));
  }
  if (content.commits > 0) makeHistory(dir, content, random, prose);
  writeRows(
    Array.from({ length: content.databases }, (_none, index) => ({
      file: databaseAt(dir, index),
      seed: 1_000 + index,
      closedRows: content.rows,
      liveRows: LIVE_ROWS,
    })),
  );
}

/** What an hour of work changes: ten notes, one commit of them, two hundred rows. @param round makes each change another */
export function changeMemory(dir, size, round) {
  const { notes, commits } = SIZES[size];
  const random = new SeededRandom(round * 104_729 + 1);
  const prose = new Prose(random);
  const changed = Array.from({ length: 10 }, () => noteAt(random.below(notes)));
  for (const note of changed) write(dir, note, `# Changed in round ${round}\n\n${prose.text(5_000)}\n`);
  if (commits > 0) commit(dir, `round ${round}`, 10_000 + round, changed);
  writeRows([{ file: databaseAt(dir, 0), seed: 2_000 + round, liveRows: 200 }]);
}

/** What a bad dream does: notes overwritten and added, a third of the rows of one database deleted. */
export function wreckMemory(dir, size) {
  const { notes } = SIZES[size];
  const random = new SeededRandom(99);
  for (let count = 0; count < 50; count++) write(dir, noteAt(random.below(notes)), "overwritten\n");
  for (let count = 0; count < 20; count++) write(dir, join("dreams", `${count}.md`), "a dream\n");
  writeRows([{ file: databaseAt(dir, 0), seed: 3_000, removeEvery: 3 }]);
}

/** @returns the path of a note within a memory */
export function noteAt(index) {
  return join("topics", `topic-${index % TOPICS}`, `note-${index}.md`);
}

/** @returns the path of a database */
export function databaseAt(dir, index) {
  return join(dir, `store-${index}.sqlite`);
}

function write(dir, path, content) {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

function makeHistory(dir, { commits, notes }, random, prose) {
  makeRepository(dir);
  write(dir, ".gitignore", "*.sqlite*\nattachments/\n");
  commit(dir, "first notes", 0);
  for (let count = 1; count < commits; count++) {
    const edited = Array.from({ length: EDITS }, () => noteAt(random.below(notes)));
    for (const note of edited) write(dir, note, `# Edit ${count}\n\n${prose.text(4_000)}\n`);
    commit(dir, `edit ${count}`, count, edited);
  }
}
