/** What the demo needs around Keepsake: a memory, an agent that writes to it, and ways to look. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";

const WRITER = fileURLToPath(new URL("./writer.mjs", import.meta.url));
export const hasGit = spawnSync("git", ["--version"], { stdio: "ignore" }).status === 0;

export function git(memory, ...args) {
  const who = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false"];
  return execFileSync("git", ["-C", memory, ...who, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** Notes under git, a JSONL file, a cursor, and a database of people; the databases of the agent come by themselves. */
export function makeMemory(memory) {
  mkdirSync(join(memory, "notes"), { recursive: true });
  mkdirSync(join(memory, "run"));
  if (hasGit) {
    git(memory, "init", "--quiet");
    writeFileSync(join(memory, ".git/info/exclude"), "*.db*\nrun/\n");
  }
  for (const name of ["people", "projects", "plants"]) {
    writeFileSync(join(memory, "notes", `${name}.md`), `# ${name}\n\n- learnt in May\n`);
    if (!hasGit) continue;
    git(memory, "add", "notes");
    git(memory, "commit", "--quiet", "-m", `Begin the notes on ${name}`);
  }
  writeFileSync(
    join(memory, "notes/people.md"),
    "# people\n\n- learnt in May\n- Ben prefers tea (not committed yet)\n",
  );
  writeFileSync(join(memory, "graph.jsonl"), '{"name":"Ben","likes":"tea"}\n{"name":"Cleo","likes":"chess"}\n');
  writeFileSync(join(memory, "run/cursor.json"), '{"extracted_up_to":1742}\n');
}

/** Starts the agent, and waits until it is in full swing. */
export async function startAgent(memory) {
  const child = spawn(process.execPath, [WRITER, join(memory, "long_term.db"), join(memory, "concepts.db")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(([code]) => {
      throw new Error(`the agent ended with ${code}`);
    }),
  ]);
  return {
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        await ended;
      }
    },
  };
}

/**
 * What better-sqlite3 has made and nobody may let go of: the version that Node 20 needs ends a process of Node 24.19 or newer
 * when an object of its own is garbage-collected.
 */
const kept = [];

export function keep(made) {
  kept.push(made);
  return made;
}

/** How many rows a database holds, and a digest of all of them. */
export function look(file) {
  const database = keep(new Database(file, { readonly: true }));
  try {
    const rows = keep(database.prepare("SELECT n, thought FROM step ORDER BY n")).all();
    const digest = createHash("sha256").update(JSON.stringify(rows)).digest("hex");
    return {
      rows: rows.length,
      digest,
      sound: keep(database.prepare("PRAGMA integrity_check")).pluck().get() === "ok",
    };
  } finally {
    database.close();
  }
}

/** Name, mode and SHA-256 of every file that is neither a database nor git's own. */
export function filesOf(memory) {
  const files = {};
  for (const entry of readdirSync(memory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(memory, path);
    if (!entry.isFile() || name.startsWith(".git/") || /\.db(-wal|-shm)?$/.test(name)) continue;
    const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
    files[name] = `${(lstatSync(path).mode & 0o777).toString(8)} ${digest}`;
  }
  return files;
}
