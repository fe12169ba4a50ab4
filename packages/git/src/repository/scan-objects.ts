import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { HashKind } from "../objects/hash-kind.js";
import type { ObjectFiles } from "../objects/object-store.js";

const NAMES = /^[0-9a-f]{2}$/;
const PACK = /^(pack-[0-9a-f]+)\.idx$/;
const DEEPEST_ALTERNATE = 5;

async function namesIn(dir: string): Promise<readonly string[]> {
  return await readdir(dir).catch(() => []);
}

/** Loose objects below a folder `objects`: id and file. */
export async function* looseObjects(dir: string, kind: HashKind): AsyncGenerator<readonly [oid: string, file: string]> {
  const rest = kind.bytes * 2 - 2;
  for (const folder of await namesIn(dir)) {
    if (!NAMES.test(folder)) continue;
    for (const name of await namesIn(join(dir, folder))) {
      if (name.length === rest && /^[0-9a-f]+$/.test(name)) yield [folder + name, join(dir, folder, name)];
    }
  }
}

/** Names of the packs in a folder `objects`, without suffix; only those that have both index and pack. */
export async function packNames(dir: string): Promise<readonly string[]> {
  const names = new Set(await namesIn(join(dir, "pack")));
  return [...names]
    .map((name) => PACK.exec(name)?.[1])
    .filter((stem) => stem !== undefined)
    .filter((stem) => names.has(`${stem}.pack`))
    .sort();
}

/** All objects below the given folders. */
export async function scanObjects(dirs: readonly string[], kind: HashKind): Promise<ObjectFiles> {
  const loose = new Map<string, string>();
  const packs: { pack: string; index: string }[] = [];
  for (const dir of dirs) {
    for await (const [oid, file] of looseObjects(dir, kind)) loose.set(oid, file);
    for (const name of await packNames(dir)) {
      packs.push({ pack: join(dir, "pack", `${name}.pack`), index: join(dir, "pack", `${name}.idx`) });
    }
  }
  return { loose, packs };
}

/** The object folders that a folder `objects` borrows from, and that those borrow from (see gitrepository-layout(5)). */
export async function alternatesOf(dir: string, depth = 0): Promise<readonly string[]> {
  const text = await readFile(join(dir, "info", "alternates"), "utf8").catch(() => "");
  const found: string[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const alternate = resolve(dir, line);
    found.push(alternate);
    if (depth < DEEPEST_ALTERNATE) found.push(...(await alternatesOf(alternate, depth + 1)));
  }
  return [...new Set(found)];
}
