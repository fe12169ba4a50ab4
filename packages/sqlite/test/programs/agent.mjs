// node agent.mjs <database>: reads and writes all the time; asked to "stop" it tells what it has seen and written.
import Database from "better-sqlite3";

const connection = new Database(process.argv[2], { timeout: 10_000 });
const seen = new Set();
let written = 0;
let stopped = false;

function round() {
  const read = connection.transaction(() => [
    connection.prepare("SELECT count(DISTINCT origin) FROM t WHERE origin <> 'agent'").pluck().get(),
    connection.prepare("SELECT min(origin) FROM t WHERE origin <> 'agent'").pluck().get(),
    connection.pragma("quick_check", { simple: true }),
  ]);
  seen.add(read().join(" "));
  connection.prepare("INSERT INTO t (origin) VALUES ('agent')").run();
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
  process.send({
    seen: [...seen],
    rows: connection.prepare("SELECT origin, count(*) AS n FROM t GROUP BY origin").all(),
  });
});
process.on("disconnect", () => process.exit(0));
loop();
