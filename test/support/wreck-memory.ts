import { appendFile, chmod, mkdir, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type Database from "better-sqlite3";
import { git, makeDatabase } from "./agent-memory.js";

/** Does to a memory made by `makeMemory` everything that a restore has to undo. The database is closed by it. */
export async function wreckMemory(dir: string, database: Database.Database): Promise<void> {
  const at = (...parts: readonly string[]) => join(dir, ...parts);
  database.exec("DROP TABLE memories; CREATE TABLE intruder (a); INSERT INTO intruder VALUES (1)");
  database.pragma("user_version = 99");
  database.close();
  makeDatabase(at("new.sqlite"), 5).close();
  await writeFile(at("MEMORY.md"), "overwritten");
  await appendFile(at("log.jsonl"), "\n{}");
  await unlink(at("topics", "note-2.md"));
  await chmod(at("tool.sh"), 0o600);
  await mkdir(at("topics", "later", "deep"), { recursive: true });
  await writeFile(at("topics", "later", "deep", "note.md"), "later");
  await rm(at("empty"), { recursive: true });
  await unlink(at("latest.md"));
  await writeFile(at("latest.md"), "no link any more");
  await git(dir, "checkout", "-q", "-b", "elsewhere");
  await git(dir, "add", "-A");
  await git(dir, "commit", "-q", "-m", "wrecked");
  await git(dir, "branch", "-q", "-D", "main");
  await rename(at("topics"), at("moved"));
  await symlink("moved", at("topics"));
}
