// node holder.mjs <database> [statement]: keeps the database open, in the transaction the statement begins.
import Database from "better-sqlite3";

const [file, statement] = process.argv.slice(2);
const connection = new Database(file, { timeout: 5000 });
connection.prepare("SELECT count(*) FROM sqlite_schema").get();
if (statement !== undefined) connection.exec(statement);
process.send("ready");
process.on("message", ({ sql }) => {
  process.send(connection.prepare(sql).all());
});
process.on("disconnect", () => process.exit(0));
