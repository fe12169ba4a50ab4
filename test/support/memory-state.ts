import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type TreeDigest, treeDigest } from "@keepsake/testkit";
import { git } from "./agent-memory.js";
import { type LogicalDatabase, logicalDatabase } from "./logical-database.js";

/** What a repository says of itself. */
export interface RepositoryState {
  readonly head: string;
  readonly refs: string;
  readonly log: string;
  readonly index: string;
  readonly uncommitted: string;
  readonly status: string;
}

/** Everything of a memory that a restore has to bring back. */
export interface MemoryState {
  /** all but databases with their siblings and the inside of repositories */
  readonly tree: TreeDigest;
  readonly databases: Readonly<Record<string, LogicalDatabase>>;
  readonly repository?: RepositoryState;
}

/** Reads a whole memory and changes nothing of it; nobody may be writing. */
export async function memoryState(dir: string): Promise<MemoryState> {
  const files = await databasesIn(dir);
  const isDatabase = new Set(files.flatMap((file) => [file, `${file}-wal`, `${file}-shm`, `${file}-journal`]));
  const tree = await treeDigest(dir, { exclude: (path) => path === ".git" || isDatabase.has(path) });
  const databases: Record<string, LogicalDatabase> = {};
  for (const file of files) databases[file] = await logicalDatabase(join(dir, file));
  const names = await readdir(dir);
  return { tree, databases, ...(names.includes(".git") ? { repository: await repositoryState(dir) } : {}) };
}

/** Paths of what begins like a database, relative to `dir`. */
export async function databasesIn(dir: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await beginsLikeDatabase(path))) found.push(path.slice(dir.length + 1));
  }
  return found.filter((path) => !path.startsWith(".git/")).sort();
}

async function beginsLikeDatabase(path: string): Promise<boolean> {
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return bytesRead === 16 && buffer.toString("latin1") === "SQLite format 3\0";
  } finally {
    await handle.close();
  }
}

/** The tags by which a restore keeps what it replaced. */
const UNDO_TAGS = "refs/tags/pre-restore-*";

/** What git says of the repository in `dir`, without a restore's own tags; does not refresh its index. */
export async function repositoryState(dir: string): Promise<RepositoryState> {
  const ask = (...args: readonly string[]) => git(dir, "--no-optional-locks", ...args);
  const refs = (await ask("for-each-ref")).split("\n");
  return {
    head: await ask("rev-parse", "--symbolic-full-name", "HEAD"),
    refs: refs.filter((line) => !line.includes("refs/tags/pre-restore-")).join("\n"),
    log: await ask("log", `--exclude=${UNDO_TAGS}`, "--all", "--format=%H %P %an %at %s %b"),
    index: await ask("ls-files", "--stage"),
    uncommitted: await ask("diff", "HEAD"),
    status: await ask("status", "--porcelain"),
  };
}
