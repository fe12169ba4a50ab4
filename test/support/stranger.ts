import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import Database from "better-sqlite3";

/** As long as what an index keeps of a word, or more. */
const FRAGMENT = 12;

/**
 * Which of the secrets somebody finds who has nothing but the unpacked bundle: in names, in bytes as they are and without
 * their zeros (UTF-16), in what git inflates, in the words that SQLite tells of its indexes; whatever the case, and in part.
 */
export function secretsFound(dir: string, secrets: readonly string[]): readonly string[] {
  const owners = new Map(secrets.flatMap((secret) => fragmentsOf(secret.toLowerCase()).map((part) => [part, secret])));
  const found = new Set<string>();
  for (const text of everythingIn(dir)) {
    const folded = text.toLowerCase();
    for (let at = 0; at + FRAGMENT <= folded.length; at++) {
      const owner = owners.get(folded.slice(at, at + FRAGMENT));
      if (owner !== undefined) found.add(owner);
    }
  }
  return secrets.filter((secret) => found.has(secret));
}

function fragmentsOf(secret: string): readonly string[] {
  // How all of a kind begin ("ghp_", "sk-ant-api03-") is no secret.
  const own = secret.replace(/^(?:[a-z]{2,4}[-_])+(?:api03-)?/, "");
  return Array.from({ length: Math.max(0, own.length - FRAGMENT + 1) }, (_, at) => own.slice(at, at + FRAGMENT));
}

function* everythingIn(dir: string): Generator<string> {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    yield path.slice(dir.length);
    if (!entry.isFile()) continue;
    const bytes = readFileSync(path);
    yield bytes.toString("latin1");
    yield Buffer.from(bytes.filter((byte) => byte !== 0)).toString("latin1");
    if (bytes.toString("latin1", 0, 15) === "SQLite format 3") yield* wordsOf(path);
    if (bytes[0] === 0x78) yield inflated(bytes);
    if (entry.name.endsWith(".pack")) yield objectsOf(path);
  }
}

function inflated(bytes: Buffer): string {
  try {
    return inflateSync(bytes).toString("latin1");
  } catch {
    return "";
  }
}

/** Every object of a pack, as git itself shows it. */
function objectsOf(pack: string): string {
  const gitDir = join(pack, "../../..");
  return execFileSync("git", ["--git-dir", gitDir, "cat-file", "--batch", "--batch-all-objects"], {
    maxBuffer: 1 << 28,
    encoding: "latin1",
    env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", GIT_DIR: gitDir },
  });
}

function* wordsOf(file: string): Generator<string> {
  const db = new Database(file, { readonly: true });
  try {
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE sql LIKE '%using fts5%'").pluck().all() as string[];
    for (const name of tables) {
      db.exec(`CREATE VIRTUAL TABLE temp."w_${name}" USING fts5vocab(main, '${name}', row)`);
      yield (db.prepare(`SELECT term FROM temp."w_${name}"`).pluck().all() as string[]).join("\n");
    }
  } finally {
    db.close();
  }
}
