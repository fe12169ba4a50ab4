import {
  type BundleEntry,
  foldedPath,
  isLinkInside,
  isPlainLinkTarget,
  KeepsakeError,
  type Omission,
  percentDecode,
  percentDecodePath,
} from "@keepsake/core";
import { CUT_FACT } from "./jsonl.js";
import { type Attributes, isOwnName, OWN_PREFIX, pathKey, textOfKey } from "@keepsake/files";

/** Something a bundle wants to be in the memory directory. There are so many of them that each keeps the least. */
export class Desired {
  /** the real name below the root, one character per byte */
  readonly key: string;
  /** where a file's bytes are; undefined for a folder that the bundle only implies */
  readonly entry: BundleEntry | undefined;

  constructor(key: string, entry?: BundleEntry) {
    this.key = key;
    this.entry = entry;
  }

  get raw(): Buffer {
    return Buffer.from(this.key, "latin1");
  }

  /** as the bundle writes it, for people */
  get path(): string {
    return this.entry?.path ?? textOfKey(this.key);
  }

  get type(): "file" | "directory" | "symlink" {
    return this.entry?.meta.type ?? "directory";
  }

  /** undefined for a folder that the bundle only implies */
  get attributes(): Attributes | undefined {
    return this.entry && { mode: this.entry.meta.mode, mtimeMs: this.entry.meta.mtimeMs };
  }

  get sizeBytes(): number {
    return this.entry?.meta.sizeBytes ?? 0;
  }

  get sha256(): string {
    return this.entry?.meta.sha256 ?? "";
  }

  /** bytes of a begun line that the file had beyond these when it was captured */
  get cutBytes(): number {
    const cut = this.entry?.meta.facts?.[CUT_FACT];
    return typeof cut === "number" && Number.isSafeInteger(cut) && cut > 0 ? cut : 0;
  }

  /** the bytes of a link's target */
  get target(): Buffer | undefined {
    const { linkTarget, nameEncoding } = this.entry?.meta ?? {};
    if (linkTarget === undefined) return undefined;
    return nameEncoding === "percent" ? percentDecode(linkTarget) : Buffer.from(linkTarget, "utf8");
  }
}

/** By key, a folder before what is in it. */
export type DesiredTree = ReadonlyMap<string, Desired>;

const unsafe = (path: string, why: string): KeepsakeError =>
  new KeepsakeError("E_UNSAFE_PATH", `${JSON.stringify(path)} ${why}.`, { context: { path } });

/**
 * What the bundle holds, by its real names.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH` when two entries are one name, one lies below what is no folder, a link leads out,
 *   or a name is reserved
 */
export async function desiredTree(entries: AsyncIterable<BundleEntry>): Promise<DesiredTree> {
  const found = new Map<string, Desired>();
  for await (const entry of entries) {
    const desired = desiredOf(entry);
    if (found.has(desired.key)) throw unsafe(entry.path, "is named twice");
    found.set(desired.key, desired);
  }
  let folder: string | undefined;
  for (const desired of [...found.values()]) {
    const parent = desired.key.slice(0, Math.max(0, desired.key.lastIndexOf("/")));
    if (parent !== folder) addParents(desired, found);
    folder = parent;
  }
  for (const desired of found.values()) if (desired.type === "symlink") checkLink(desired, found);
  const sorted = [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return treeOf(sorted);
}

/** In the given order, a folder before what is in it. */
export function treeOf(all: Iterable<Desired>): DesiredTree {
  const tree = new Map<string, Desired>();
  for (const desired of all) tree.set(desired.key, desired);
  return tree;
}

/** Of a tree what is selected, and the folders it is in. */
export function selectedTree(all: DesiredTree, isSelected: (desired: Desired) => boolean): DesiredTree {
  const wanted = new Set<string>();
  for (const desired of all.values()) {
    if (!isSelected(desired)) continue;
    for (let at = desired.key; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) wanted.add(at);
  }
  return treeOf([...all.values()].filter(({ key }) => wanted.has(key)));
}

/** The bytes of an entry's real name below the root. */
export function rawPathOf({ meta, path }: BundleEntry): Buffer {
  return meta.nameEncoding === "percent" ? percentDecodePath(path) : Buffer.from(path, "utf8");
}

function desiredOf(entry: BundleEntry): Desired {
  const { meta, path } = entry;
  const key = pathKey(meta.nameEncoding === "percent" ? percentDecodePath(path) : path);
  if (isReserved(key, meta.type === "directory")) throw unsafe(path, "has a name that Keepsake uses itself");
  const { linkTarget, nameEncoding } = meta;
  const isPlain = linkTarget === undefined || nameEncoding === "percent" || isPlainLinkTarget(linkTarget);
  if (!isPlain) throw unsafe(path, "leads nowhere safe");
  return new Desired(key, entry);
}

function isReserved(key: string, isDirectory: boolean): boolean {
  if (!key.includes(OWN_PREFIX)) return false;
  const parts = key.split("/");
  return parts.some((part, depth) => isOwnName(part, isDirectory || depth < parts.length - 1));
}

function addParents({ key, path }: Desired, found: Map<string, Desired>): void {
  for (let cut = key.lastIndexOf("/"); cut > 0; cut = key.lastIndexOf("/", cut - 1)) {
    const parent = key.slice(0, cut);
    const known = found.get(parent);
    if (known !== undefined && known.type !== "directory") throw unsafe(path, "lies below what is no folder");
    if (known === undefined) found.set(parent, new Desired(parent));
  }
}

function checkLink({ key, path, target }: Desired, found: ReadonlyMap<string, Desired>): void {
  const isLink = (at: string): boolean => found.get(at)?.type === "symlink";
  if (target === undefined || !isLinkInside(key, pathKey(target), isLink))
    throw unsafe(path, "is a link that leads out");
}

/**
 * Refuses names that are one where letters' case does not count.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH`
 */
export function refuseCaseTwins(desired: DesiredTree): void {
  const seen = new Map<string, string>();
  for (const { key, path } of desired.values()) {
    const folded = foldedPath(textOfKey(key));
    const twin = seen.get(folded);
    if (twin !== undefined) throw unsafe(path, `and ${JSON.stringify(twin)} are one name on this file system`);
    seen.set(folded, path);
  }
}

/** The real names of what a snapshot saw and left out. A plain path of ours never holds what looks like an escape. */
export function omittedKeys(omitted: readonly Omission[]): ReadonlySet<string> {
  return new Set(
    omitted
      .filter(({ reason }) => reason !== "absent")
      .map(({ path }) => {
        if (!/%[0-9A-F]{2}/.test(path)) return pathKey(path);
        try {
          return pathKey(percentDecodePath(path));
        } catch {
          return pathKey(path);
        }
      }),
  );
}
