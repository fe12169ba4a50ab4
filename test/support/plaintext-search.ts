import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { attempt } from "./execute.js";

const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/**
 * Where below `dir` a text can be read without a key: in a name, in a file as it lies there, or in what the `zstd` program
 * or zlib (a git object) makes of it. Files that go away meanwhile are passed over.
 *
 * @returns paths, relative to `dir`
 */
export async function findPlaintext(dir: string, text: string): Promise<readonly string[]> {
  const found: string[] = [];
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const relative = path.slice(dir.length + 1);
    if (relative.includes(text) || (entry.isFile() && (await canBeReadIn(path, text)))) found.push(relative);
  }
  return found;
}

async function canBeReadIn(path: string, text: string): Promise<boolean> {
  const raw = await readFile(path).catch(() => Buffer.alloc(0));
  if (raw.includes(text)) return true;
  if (raw.subarray(0, 4).equals(ZSTD_MAGIC)) {
    // What can be decompressed of a file that is cut off counts too.
    return (await attempt("zstd", ["-q", "-dc", path])).stdout.includes(text);
  }
  if (raw[0] !== 0x78) return false;
  try {
    return inflateSync(raw).includes(text);
  } catch {
    return false;
  }
}
