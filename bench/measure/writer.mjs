/** A program that writes a row every few milliseconds, and knows how long each took: of an agent that goes on working. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Database, prepared } from "../../packages/sqlite/dist/process/better-sqlite.js";
import { percentile } from "./percentile.mjs";

const PAUSE_MS = 2;
const database = new Database(process.argv[2], { timeout: 30_000 });
database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
const row = prepared(database, "INSERT INTO memories (kind, text, at) VALUES ('event', ?, ?)");
const TEXT = "the user prefers tea ".repeat(60);

let times = [];
let going = true;

process.on("message", (question) => {
  if (question === "report") {
    process.send({ p99Ms: percentile(times, 99), maxMs: Math.max(...times), count: times.length });
  } else {
    times = [];
    process.send("begun");
  }
});
process.on("disconnect", () => (going = false));

while (going) {
  const begun = performance.now();
  row.run(TEXT, Date.now());
  times.push(performance.now() - begun);
  await sleep(PAUSE_MS);
}
