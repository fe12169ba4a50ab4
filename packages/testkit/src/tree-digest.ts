import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { percentEncodePath, sha256Hex } from "@keepsake/core";

/** What there is to say about one thing in a tree. */
export interface TreeNode {
  readonly type: "file" | "directory" | "symlink" | "special";
  /** permission bits as octal text, "0644"; absent for a symbolic link */
  readonly mode?: string;
  /** whole milliseconds since 1970, rounded down */
  readonly mtimeMs?: number;
  readonly sizeBytes?: number;
  /** of a file's content, 64 lower-case hex digits */
  readonly sha256?: string;
  /** a symbolic link's target, written like a path */
  readonly target?: string;
}

/**
 * A whole tree as a plain object that compares with `toEqual`. Paths are relative and `/`-separated; one that is no
 * UTF-8 is written `bytes:` and percent-encoded. The root itself is not in it.
 */
export type TreeDigest = Readonly<Record<string, TreeNode>>;

/** What of a tree is looked at. */
export interface TreeDigestOptions {
  /** default "all"; "files" leaves directories out, whose times change with their content; "none" */
  readonly mtimes?: "all" | "files" | "none";
  /** true leaves a path out, and for a directory all that is below it */
  readonly exclude?: (path: string) => boolean;
}

/**
 * Names by their raw bytes, types, modes, times, link targets and content of everything below `dir`, hidden names too.
 * Reads one file at a time, whole.
 *
 * @throws the system error when something cannot be read
 */
export async function treeDigest(dir: string, options: TreeDigestOptions = {}): Promise<TreeDigest> {
  const found: [string, TreeNode][] = [];
  await digestFolder(Buffer.from(dir), Buffer.alloc(0), options, found);
  found.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return Object.fromEntries(found);
}

// Node sets times through a float of seconds and rounds down, to microseconds or (Node 24) less: 5 ms come back as 4.999.
const CLOCK_SLACK_MICROS = 2n;
const SLASH = Buffer.from("/");

async function digestFolder(
  folder: Buffer,
  prefix: Buffer,
  options: TreeDigestOptions,
  found: [string, TreeNode][],
): Promise<void> {
  for (const name of await readdir(folder, { encoding: "buffer" })) {
    const absolute = Buffer.concat([folder, SLASH, name]);
    const relative = prefix.length === 0 ? name : Buffer.concat([prefix, SLASH, name]);
    const path = readable(relative);
    if (options.exclude?.(path) === true) continue;
    const node = await digestNode(absolute, options.mtimes ?? "all");
    found.push([path, node]);
    if (node.type === "directory") await digestFolder(absolute, relative, options, found);
  }
}

async function digestNode(absolute: Buffer, mtimes: "all" | "files" | "none"): Promise<TreeNode> {
  const stats = await lstat(absolute, { bigint: true });
  const mode = (Number(stats.mode) & 0o7777).toString(8).padStart(4, "0");
  const time = { mtimeMs: Number((stats.mtimeNs / 1000n + CLOCK_SLACK_MICROS) / 1000n) };
  const ofFile = mtimes === "none" ? {} : time;
  if (stats.isFile()) {
    const content = await readFile(absolute);
    return { type: "file", mode, ...ofFile, sizeBytes: content.length, sha256: sha256Hex(content) };
  }
  if (stats.isDirectory()) return { type: "directory", mode, ...(mtimes === "all" ? time : {}) };
  if (stats.isSymbolicLink()) {
    return { type: "symlink", ...ofFile, target: readable(await readlink(absolute, { encoding: "buffer" })) };
  }
  return { type: "special", mode, ...ofFile };
}

function readable(raw: Buffer): string {
  const text = raw.toString("utf8");
  return Buffer.from(text, "utf8").equals(raw) ? text : `bytes:${percentEncodePath(raw)}`;
}
