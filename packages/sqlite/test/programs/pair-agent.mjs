// node pair-agent.mjs <forwards|backwards> <database> <database>…: one number in all of them, read and counted on in one transaction over
// all, without a pause; asked to "stop" it tells what it has seen and written.
import Database from "better-sqlite3";

const [way, ...files] = process.argv.slice(2);
const all = files.map((file) => new Database(file, { timeout: 20_000 }));
const numbers = all.map((one) => one.prepare("SELECT n FROM counter").pluck());
const updates = all.map((one) => one.prepare("UPDATE counter SET n = ?"));
const checks = all.map((one) => one.prepare("PRAGMA quick_check").pluck());
const inTurn = way === "forwards" ? all : all.toReversed();
const skewed = new Set();
const failed = new Set();
const damaged = new Set();
let rounds = 0;
let last = 0;
let back = 0;
let stopped = false;

function round() {
  for (const one of inTurn) one.exec("BEGIN IMMEDIATE");
  const found = numbers.map((one) => one.get());
  if (new Set(found).size > 1) skewed.add(found.join(" "));
  if (found[0] < last) back++;
  last = found[0] + 1;
  for (const one of updates) one.run(last);
  for (const one of inTurn) one.exec("COMMIT");
  const check = checks[rounds % all.length].get();
  if (check !== "ok") damaged.add(check);
  rounds++;
}

function loop() {
  if (stopped) return;
  try {
    round();
    if (rounds === 1) process.send("ready");
  } catch (error) {
    failed.add(`${error.code} ${error.message}`);
    for (const one of all) if (one.inTransaction) one.exec("ROLLBACK");
  }
  setImmediate(loop);
}

process.on("message", (message) => {
  if (message === "written") return void process.send({ rounds, back });
  stopped = true;
  process.send({ skewed: [...skewed], failed: [...failed], damaged: [...damaged], back, last, rounds });
});
process.on("disconnect", () => process.exit(0));
loop();
