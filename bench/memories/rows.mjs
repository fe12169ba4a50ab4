/**
 * `node rows.mjs '<JSON>'` writes into databases as an agent does, and ends without closing them, as an agent does whose machine
 * is switched off: each keeps a -wal with its last rows, which the file itself does not have yet. Prints `done` when all is written.
 */
import { Database, prepared } from "../../packages/sqlite/dist/process/better-sqlite.js";
import { Prose } from "./prose.mjs";
import { SeededRandom } from "./random.mjs";

const DIMENSIONS = 384;
const ROW_CHARS = 1_400;
const START_S = 1_750_000_000;
const PER_TRANSACTION = 1_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS memories (id INTEGER PRIMARY KEY, kind TEXT, text TEXT, embedding BLOB, at INTEGER);
  CREATE VIRTUAL TABLE IF NOT EXISTS memories_fts USING fts5(text, content='memories', content_rowid='id');
  CREATE TRIGGER IF NOT EXISTS memory_added AFTER INSERT ON memories BEGIN
    INSERT INTO memories_fts (rowid, text) VALUES (new.id, new.text);
  END;
  CREATE TRIGGER IF NOT EXISTS memory_removed AFTER DELETE ON memories BEGIN
    INSERT INTO memories_fts (memories_fts, rowid, text) VALUES ('delete', old.id, old.text);
  END;`;

function insert(database, count, random, prose) {
  const row = prepared(database, "INSERT INTO memories (kind, text, embedding, at) VALUES (?, ?, ?, ?)");
  database.transaction(() => {
    for (let index = 0; index < count; index++) {
      const text = prose.text(ROW_CHARS * 2 * random.next());
      row.run(random.pick(["fact", "event", "preference"]), text, random.embedding(DIMENSIONS), START_S + index);
    }
  })();
}

/** @param options `removeEvery`: deletes each n-th row first; `closedRows`: rows that are in the file; `liveRows`: those in its -wal */
function write({ file, seed, removeEvery, closedRows = 0, liveRows = 0 }) {
  const random = new SeededRandom(seed);
  const prose = new Prose(random);
  if (closedRows > 0) {
    const making = new Database(file);
    making.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    making.exec(SCHEMA);
    for (let done = 0; done < closedRows; done += PER_TRANSACTION) {
      insert(making, Math.min(PER_TRANSACTION, closedRows - done), random, prose);
    }
    making.close();
  }
  const database = new Database(file);
  if (removeEvery > 0) database.exec(`DELETE FROM memories WHERE id % ${removeEvery} = 0`);
  insert(database, liveRows, random, prose);
}

for (const work of JSON.parse(process.argv[2])) write(work);
process.stdout.write("done", () => process.kill(process.pid, "SIGKILL"));
