// An agent among several that take turns: each turn puts the next number into four databases, a JSONL, a note and a commit.
// Who holds the first database has the turn. Tells each number when it is done.
// node turn-writer.mjs <memory> <longest pause ms> <with files: yes|no> <turn script>
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import Database from "better-sqlite3";

const [memory, longest, files, script] = process.argv.slice(2);
const databases = ["a", "b", "c", "d"].map((name) => new Database(join(memory, `${name}.sqlite`), { timeout: 60_000 }));
const next = databases[0].prepare("SELECT n + 1 FROM counter").pluck();

function takeTurn() {
  for (const database of databases) database.exec("BEGIN IMMEDIATE");
  const n = next.get();
  for (const database of databases) database.exec(`UPDATE counter SET n = ${n}`);
  if (files === "yes") execFileSync("sh", [script, String(n)], { cwd: memory, stdio: "ignore" });
  for (const database of databases.toReversed()) database.exec("COMMIT");
  return n;
}

for (;;) {
  process.stdout.write(`${takeTurn()}\n`);
  const pause = Math.random() * Number(longest);
  await new Promise((resolve) => (pause > 0 ? setTimeout(resolve, pause) : setImmediate(resolve)));
}
