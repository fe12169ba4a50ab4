// node killed.mjs <journal mode> <database>: is killed by itself, in a rollback mode in the middle of a transaction.
import Database from "better-sqlite3";

const [mode, file] = process.argv.slice(2);
const connection = new Database(file);
connection.exec(`PRAGMA journal_mode = ${mode}`);
connection.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, text)");
connection.exec(
  "INSERT INTO t (text) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT 'kept' FROM n",
);
if (mode !== "wal") {
  connection.exec("PRAGMA cache_size = 5");
  connection.exec("BEGIN; UPDATE t SET text = 'must not be seen'");
}
process.kill(process.pid, "SIGKILL");
