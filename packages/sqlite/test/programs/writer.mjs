// Writes forever: every transaction adds one row to `credit` and one to `debit` of every given database.
// node writer.mjs <journal mode> <database>... ; prints "ready" after the first round, then "failed <code>" on an error.
import Database from "better-sqlite3";

const [mode, ...files] = process.argv.slice(2);
const connections = files.map((file) => {
  const connection = new Database(file, { timeout: 5000 });
  connection.exec(`PRAGMA journal_mode = ${mode}`);
  connection.exec("CREATE TABLE IF NOT EXISTS credit (n INTEGER PRIMARY KEY, pad BLOB)");
  connection.exec("CREATE TABLE IF NOT EXISTS debit (n INTEGER PRIMARY KEY, pad BLOB)");
  const inserts = ["credit", "debit"].map((table) => connection.prepare(`INSERT INTO ${table} (pad) VALUES (?)`));
  return { connection, inserts };
});
const pad = Buffer.alloc(600, 7);
let written = 0;

function round() {
  for (const { connection, inserts } of connections) {
    connection.exec("BEGIN IMMEDIATE");
    for (const insert of inserts) insert.run(pad);
    connection.exec("COMMIT");
  }
  if (written++ === 0) process.send("ready");
}

function loop() {
  try {
    round();
    setImmediate(loop);
  } catch (error) {
    process.send(`failed ${error.code ?? error.message}`);
  }
}

process.on("message", (message) => {
  if (message === "count") process.send(`count ${written}`);
  if (message === "stop") {
    for (const { connection } of connections) connection.close();
    process.exit(0);
  }
});
process.on("disconnect", () => process.exit(0));
loop();
