/** An agent at work: every step goes into two databases, the first one first. Runs until it is ended. */
import Database from "better-sqlite3";

const [first, second] = process.argv.slice(2).map((file) => {
  const database = new Database(file);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("CREATE TABLE IF NOT EXISTS step (n INTEGER PRIMARY KEY, thought TEXT NOT NULL)");
  return database.prepare("INSERT INTO step (n, thought) VALUES (?, ?)");
});

let n = 0;
function work() {
  for (let burst = 0; burst < 5; burst++) {
    n += 1;
    first.run(n, `thought ${n}`);
    second.run(n, `what thought ${n} led to`);
  }
  if (n === 500) process.stdout.write("warm\n");
  setTimeout(work, 1);
}
work();
