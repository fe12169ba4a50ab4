import { type BundleEntry, foldedPath, KeepsakeError, percentDecodePath } from "@keepsake/core";
import { OWN_PREFIX } from "@keepsake/files";
import type { LooseFile } from "../objects/loose.js";
import { splitBundlePath } from "../repository/bundle-layout.js";
import type { Layout } from "../repository/locate.js";

/** A file, link or folder of a git directory in a bundle. */
export interface BundledFile {
  /** below the git directory, the name's own bytes */
  readonly raw: Buffer;
  readonly path: string;
  readonly entry: BundleEntry;
}

/** A repository in a bundle. */
export interface BundledRepository {
  readonly folder: string;
  readonly layout: Layout;
  readonly files: readonly BundledFile[];
}

/**
 * Sorts a bundle's entries by repository.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH` for a folder that may hold no repository, `E_REPOSITORY_DAMAGED` for one without HEAD
 */
export function bundledRepositories(entries: Iterable<BundleEntry>): readonly BundledRepository[] {
  const byFolder = new Map<string, BundledFile[]>();
  for (const entry of entries) {
    const { folder, raw } = placeOf(entry);
    const files = byFolder.get(folder) ?? [];
    files.push({ raw, path: raw.toString("utf8"), entry });
    byFolder.set(folder, files);
  }
  return [...byFolder].map(([folder, files]) => {
    const head = files.find(({ path, entry }) => path === "HEAD" && entry.meta.type === "file");
    if (head === undefined) throw headless(folder);
    return { folder, files, layout: layoutOf(head.entry.meta.facts?.["layout"]) };
  });
}

/** A loose object as a bundle has it; undefined for what has no bytes. */
export function looseFileOf(entry: BundleEntry): LooseFile | undefined {
  const { meta, bytes } = entry;
  return bytes === undefined ? entry.file : { sizeBytes: meta.sizeBytes, read: bytes };
}

/**
 * The repository that an entry belongs to, and its name there.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH`
 */
export function placeOf({ meta, path }: BundleEntry): { readonly folder: string; readonly raw: Buffer } {
  const full = meta.nameEncoding === "percent" ? percentDecodePath(path) : Buffer.from(path);
  const split = splitBundlePath(full.toString("latin1"));
  if (split === undefined || (split.folder !== "" && !isSafeFolder(split.folder))) throw unsafe(path);
  return {
    folder: Buffer.from(split.folder, "latin1").toString("utf8"),
    raw: Buffer.from(split.inner, "latin1"),
  };
}

function layoutOf(value: unknown): Layout {
  return value === "bare" || value === "linked" ? value : "directory";
}

/** No folder inside a git directory, by whatever name a file system may know it, and none of Keepsake's own. */
function isSafeFolder(folder: string): boolean {
  return folder.split("/").every((segment) => {
    // HFS+ ignores these characters in names, NTFS trailing dots and spaces; `git~1` is the short name of `.git`.
    const plain = foldedPath(segment.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "")).replace(
      /[. ]+$/,
      "",
    );
    return plain !== ".git" && !/^git~\d+$/.test(plain) && !plain.startsWith(OWN_PREFIX);
  });
}

function unsafe(path: string): KeepsakeError {
  return new KeepsakeError("E_UNSAFE_PATH", `No repository may be put at ${JSON.stringify(path.slice(0, 200))}.`, {
    context: { path: path.slice(0, 200) },
  });
}

function headless(folder: string): KeepsakeError {
  const name = folder === "" ? "The repository" : `The repository of ${JSON.stringify(folder)}`;
  return new KeepsakeError("E_REPOSITORY_DAMAGED", `${name} in the bundle has no HEAD.`, { context: { folder } });
}
