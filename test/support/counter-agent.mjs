// An agent whose every logical write puts one number into four databases, a JSONL and a note; tells each when it is done.
// node counter-agent.mjs <memory> <shortest pause ms> <longest pause ms> <with files: yes|no> <how: together|one by one>
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";

const [memory, shortest, longest, files, how] = process.argv.slice(2);
const databases = ["a", "b", "c", "d"].map((name) => {
  const database = new Database(join(memory, `${name}.sqlite`), { timeout: 10_000 });
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("CREATE TABLE IF NOT EXISTS counter (n INTEGER); DELETE FROM counter; INSERT INTO counter VALUES (0)");
  return database;
});

function writeFiles(n) {
  appendFileSync(join(memory, "log.jsonl"), `${JSON.stringify({ n })}\n`);
  writeFileSync(join(memory, "note.tmp"), `${n}\n`);
  renameSync(join(memory, "note.tmp"), join(memory, "note.md"));
}

function writeTogether(n) {
  for (const database of databases) database.exec("BEGIN IMMEDIATE");
  for (const database of databases) database.exec(`UPDATE counter SET n = ${n}`);
  if (files === "yes") writeFiles(n);
  for (const database of databases) database.exec("COMMIT");
}

function writeOneByOne(n) {
  for (const database of databases) database.exec(`UPDATE counter SET n = ${n}`);
  if (files === "yes") writeFiles(n);
}

for (let n = 1; ; n++) {
  if (how === "together") writeTogether(n);
  else writeOneByOne(n);
  process.stdout.write(`${n}\n`);
  const pause = Number(shortest) + Math.random() * (Number(longest) - Number(shortest));
  await new Promise((resolve) => setTimeout(resolve, pause));
}
