// node try-lock.mjs <database>: prints "locked" or "free".
import Database from "better-sqlite3";

const connection = new Database(process.argv[2], { timeout: 0 });
try {
  connection.exec("BEGIN IMMEDIATE");
  process.stdout.write("free");
} catch (error) {
  process.stdout.write(error.code === "SQLITE_BUSY" ? "locked" : String(error));
}
