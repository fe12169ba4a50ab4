// node agent.mjs <database>: reads and writes all the time; asked to "stop" it tells what it has seen and written.
import Database from "better-sqlite3";

const connection = new Database(process.argv[2], { timeout: 10_000 });
const others = connection.prepare("SELECT count(DISTINCT origin) FROM t WHERE origin <> 'agent'").pluck();
const lowest = connection.prepare("SELECT min(origin) FROM t WHERE origin <> 'agent'").pluck();
const check = connection.prepare("PRAGMA quick_check").pluck();
const insert = connection.prepare("INSERT INTO t (origin) VALUES ('agent')");
const rows = connection.prepare("SELECT origin, count(*) AS n FROM t GROUP BY origin");
const read = connection.transaction(() => [others.get(), lowest.get(), check.get()]);
const seen = new Set();
let written = 0;
let stopped = false;

function round() {
  seen.add(read().join(" "));
  insert.run();
  written++;
}

function loop() {
  if (stopped) return;
  try {
    round();
    if (written === 1) process.send("ready");
    setImmediate(loop);
  } catch (error) {
    seen.add(`failed ${error.code ?? error.message}`);
    setImmediate(loop);
  }
}

process.on("message", (message) => {
  if (message === "written") return void process.send(written);
  stopped = true;
  process.send({ seen: [...seen], rows: rows.all() });
});
process.on("disconnect", () => process.exit(0));
loop();
