import { open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
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
  // SQLite makes and removes a log's siblings whenever anybody opens a quiet database: the time of its folder is nobody's.
  const touched = new Set(files.map((file) => dirname(file)));
  const databases: Record<string, LogicalDatabase> = {};
  for (const file of files) databases[file] = await logicalDatabase(join(dir, file));
  const names = await readdir(dir);
  return {
    tree: withoutTimes(tree, touched),
    databases,
    ...(names.includes(".git") ? { repository: await repositoryState(dir) } : {}),
  };
}

function withoutTimes(tree: TreeDigest, folders: ReadonlySet<string>): TreeDigest {
  const timeless = Object.entries(tree).map(([path, node]) => {
    const { mtimeMs: _mtimeMs, ...rest } = node;
    return [path, folders.has(path) ? rest : node] as const;
  });
  return Object.fromEntries(timeless);
}

/** Paths of what begins like a database, relative to `dir`; names that are no UTF-8 aside. */
export async function databasesIn(dir: string): Promise<readonly string[]> {
  const tree = await treeDigest(dir, { exclude: (path) => path === ".git" });
  const found: string[] = [];
  for (const [path, { type }] of Object.entries(tree)) {
    if (type === "file" && !path.startsWith("bytes:") && (await beginsLikeDatabase(join(dir, path)))) found.push(path);
  }
  return found;
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
