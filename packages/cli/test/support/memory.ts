import { execFile } from "node:child_process";
import { promisify } from "node:util";
import Database from "better-sqlite3";
import type { Bench } from "./keepsake.js";

const run = promisify(execFile);

/** Writes a small memory: notes, an empty folder's worth of names, and a database with rows. */
export async function makeMemory(bench: Bench, name: string): Promise<void> {
  await bench.write({
    [`${name}/notes.md`]: "# Notes\n\nfirst line\n",
    [`${name}/deep/er/log.jsonl`]: '{"n":1}\n{"n":2}\n',
  });
  const db = new Database(bench.path(name, "facts.db"));
  db.exec("PRAGMA journal_mode = WAL; CREATE TABLE fact (id INTEGER PRIMARY KEY, text TEXT); PRAGMA user_version = 7;");
  db.prepare("INSERT INTO fact (text) VALUES (?), (?)").run("water is wet", "fire is hot");
  db.close();
}

/** All facts in the memory's database. */
export function factsIn(bench: Bench, name: string): readonly string[] {
  const db = new Database(bench.path(name, "facts.db"), { readonly: true });
  try {
    return db.prepare("SELECT text FROM fact ORDER BY id").pluck().all() as string[];
  } finally {
    db.close();
  }
}

/** Adds a fact. */
export function addFact(bench: Bench, name: string, text: string): void {
  const db = new Database(bench.path(name, "facts.db"));
  db.prepare("INSERT INTO fact (text) VALUES (?)").run(text);
  db.close();
}

/** Makes the directory a git repository with one commit. */
export async function makeRepository(directory: string): Promise<void> {
  const git = (...args: string[]) =>
    run("git", ["-C", directory, "-c", "user.name=Ana", "-c", "user.email=ana@example.org", ...args]);
  await git("init", "-q", "-b", "main");
  await git("add", "-A");
  await git("commit", "-q", "-m", "First notes");
}
