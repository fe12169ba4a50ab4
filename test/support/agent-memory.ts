import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import Database from "better-sqlite3";

const run = promisify(execFile);

const GIT_ENV = {
  ...process.env,
  GIT_AUTHOR_NAME: "Ana",
  GIT_AUTHOR_EMAIL: "ana@example.com",
  GIT_COMMITTER_NAME: "Ana",
  GIT_COMMITTER_EMAIL: "ana@example.com",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
};

/** Runs the git program in a folder, free of the machine's configuration. @returns its output, trimmed */
export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run("git", [...args], { cwd, env: GIT_ENV, maxBuffer: 64 << 20 });
  return stdout.trim();
}

/** How an agent's memory is made. */
export interface MemoryOptions {
  readonly notes?: number;
  readonly rows?: number;
  /** commits beyond the first; 0 for none; undefined for no repository at all */
  readonly commits?: number | undefined;
  /** a repository in few files: without what a template brings, and packed but for its last commit */
  readonly packed?: boolean;
}

/**
 * A small agent memory of real parts: notes in folders, a JSONL without a last newline, an empty folder, an executable,
 * a link, a WAL database that stays open with unmerged rows, and a git repository with an uncommitted edit.
 *
 * @returns the open database; close it when the agent is meant to end
 */
export async function makeMemory(dir: string, options: MemoryOptions = {}): Promise<Database.Database> {
  const { notes = 3, rows = 100 } = options;
  await mkdir(join(dir, "topics"), { recursive: true });
  await mkdir(join(dir, "empty"));
  await writeFile(join(dir, "MEMORY.md"), "# Index\n- topics\n");
  for (let index = 0; index < notes; index++) {
    await writeFile(join(dir, "topics", `note-${String(index)}.md`), `# Note ${String(index)}\nWhat I learnt.\n`);
  }
  await writeFile(join(dir, "log.jsonl"), '{"event":1}\n{"event":2}');
  await writeFile(join(dir, "tool.sh"), "#!/bin/sh\necho hi\n", { mode: 0o755 });
  await symlink("topics/note-0.md", join(dir, "latest.md"));
  const database = makeDatabase(join(dir, "long_term.sqlite"), rows);
  if (options.commits !== undefined) await makeRepository(dir, options.commits, options.packed === true);
  return database;
}

/** A WAL database with rows that are in the log alone. */
export function makeDatabase(file: string, rows: number): Database.Database {
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.pragma("wal_autocheckpoint = 0");
  database.pragma("user_version = 7");
  database.exec("CREATE TABLE memories (id INTEGER PRIMARY KEY, text TEXT NOT NULL, embedding BLOB)");
  const insert = database.prepare("INSERT INTO memories (text, embedding) VALUES (?, ?)");
  database.transaction(() => {
    for (let index = 0; index < rows; index++) insert.run(`memory ${String(index)}`, Buffer.alloc(32, index));
  })();
  return database;
}

async function makeRepository(dir: string, commits: number, packed: boolean): Promise<void> {
  await git(dir, "init", "-q", "-b", "main", ...(packed ? ["--template="] : []));
  await writeFile(join(dir, ".gitignore"), "*.sqlite*\n");
  await git(dir, "add", "-A");
  await git(dir, "commit", "-q", "-m", "first notes");
  for (let index = 0; index < commits; index++) {
    if (packed && index === commits - 1) await git(dir, "gc", "-q");
    await writeFile(join(dir, "topics", "note-0.md"), `# Note 0\nversion ${String(index)}\n`);
    await git(dir, "commit", "-q", "-am", `edit ${String(index)}`);
  }
  await writeFile(join(dir, "topics", "note-1.md"), "# Note 1\nnot committed yet\n");
}
