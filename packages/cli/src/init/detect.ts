import { type Dirent, constants } from "node:fs";
import { type FileHandle, open, opendir, stat } from "node:fs/promises";
import { basename, join } from "node:path";

/** What a memory directory was seen to hold. */
export interface Detection {
  /** the preset that fits */
  readonly preset: "nexo" | "langgraph-sqlite" | "mcp-memory" | "claude-code" | "directory";
  /** why, for people */
  readonly reason: string;
  /** files that begin with the SQLite header, relative */
  readonly databases: readonly string[];
  readonly hasGit: boolean;
  /** other files seen; `more` says that the search stopped there */
  readonly files: number;
  readonly more: boolean;
}

const HEADER = Buffer.from("SQLite format 3\0");
const MAX_ENTRIES = 5_000;
const MAX_DEPTH = 6;
/** A database's schema stands at its beginning; a fresh one's is still in the log beside it. */
const SCHEMA_BYTES = 1024 * 1024;
const NEXO_STORES = ["long_term", "vector", "concepts", "compactions"];
const SKIPPED = new Set([".git", "node_modules"]);

/** Looks at a directory, changes nothing in it, and says what kind of memory it is. Opens no database. */
export async function detectMemory(directory: string): Promise<Detection> {
  const found = await search(directory);
  const facts = { databases: found.databases, hasGit: found.hasGit, files: found.files, more: found.more };
  const names = new Set(found.databases.map((path) => basename(path).replace(/\.[^.]*$/, "")));
  const nexo = NEXO_STORES.filter((name) => names.has(name));
  if (nexo.length >= 2) return { preset: "nexo", reason: `databases ${nexo.join(", ")}`, ...facts };
  for (const path of found.databases) {
    if (await holdsText(directory, path, "checkpoint_ns")) {
      return { preset: "langgraph-sqlite", reason: `${path} has LangGraph's checkpoint tables`, ...facts };
    }
  }
  if (found.memoryJsonl !== undefined) {
    return { preset: "mcp-memory", reason: `${found.memoryJsonl}, as MCP's memory server writes it`, ...facts };
  }
  if (basename(directory) === ".claude" || found.claude) {
    return { preset: "claude-code", reason: "a .claude folder", ...facts };
  }
  return { preset: "directory", reason: "its content is discovered", ...facts };
}

interface Found {
  databases: string[];
  hasGit: boolean;
  claude: boolean;
  memoryJsonl: string | undefined;
  files: number;
  more: boolean;
}

async function search(directory: string): Promise<Found> {
  const found: Found = {
    databases: [],
    hasGit: await exists(join(directory, ".git")),
    claude: await exists(join(directory, ".claude", "projects")),
    memoryJsonl: undefined,
    files: 0,
    more: false,
  };
  const folders: { readonly path: string; readonly depth: number }[] = [{ path: "", depth: 0 }];
  let seen = 0;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for await (const entry of entriesOf(join(directory, folder.path))) {
      if (++seen > MAX_ENTRIES) return finish({ ...found, more: true });
      const path = folder.path === "" ? entry.name : `${folder.path}/${entry.name}`;
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) {
        if (folder.depth < MAX_DEPTH) folders.push({ path, depth: folder.depth + 1 });
        else found.more = true;
      } else if (entry.isFile()) await note(directory, path, found);
    }
  }
  return finish(found);
}

function finish(found: Found): Found {
  return { ...found, databases: found.databases.sort() };
}

async function note(directory: string, path: string, found: Found): Promise<void> {
  found.files++;
  if (await beginsAsDatabase(join(directory, path))) found.databases.push(path);
  else if (basename(path) === "memory.jsonl" || basename(path) === "memory.json") found.memoryJsonl ??= path;
}

async function* entriesOf(path: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(path);
  } catch {
    // A folder that cannot be read is the snapshot's to report; the guess goes on without it.
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function withFile<T>(path: string, otherwise: T, read: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    // O_NONBLOCK: a FIFO that took the file's place must not hang the search.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await read(file);
    } finally {
      await file.close();
    }
  } catch {
    return otherwise;
  }
}

function beginsAsDatabase(path: string): Promise<boolean> {
  return withFile(path, false, async (file) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER.length), 0, HEADER.length, 0);
    return bytesRead === HEADER.length && buffer.equals(HEADER);
  });
}

async function holdsText(directory: string, path: string, text: string): Promise<boolean> {
  for (const suffix of ["", "-wal"]) {
    const holds = await withFile(join(directory, path + suffix), false, async (file) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(SCHEMA_BYTES), 0, SCHEMA_BYTES, 0);
      return buffer.subarray(0, bytesRead).includes(text);
    });
    if (holds) return true;
  }
  return false;
}
