// node holder.mjs <database> [statement]: keeps the database open, in the transaction the statement begins.
import Database from "better-sqlite3";

const [file, statement] = process.argv.slice(2);
const connection = new Database(file, { timeout: 5000 });
connection.exec("SELECT count(*) FROM sqlite_schema");
const asked = [];
if (statement !== undefined) connection.exec(statement);
process.send("ready");
process.on("message", ({ sql }) => {
  const statement = connection.prepare(sql);
  asked.push(statement);
  process.send(statement.all());
});
process.on("disconnect", () => process.exit(0));
