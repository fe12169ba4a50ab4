import { dirname } from "node:path";
import type { DiskCall } from "../../faults/disk-fault.js";

/** A file, under all its names. */
interface Written {
  bytes: number;
  /** written to since it was last synced */
  isDirty: boolean;
  /** every write is synced by itself */
  readonly syncs: boolean;
  /** the name it got while it was dirty */
  namedEarly?: string;
}

/** What Linux calls a file that has no name any more: nobody will find it after a power cut, nor miss it. */
const NAMELESS = " (deleted)";
const WRITES = /^(?:p?writev?(?:64)?|copy_file_range|sendfile(?:64)?)$/;

/**
 * What of the files that hold an object a power cut could take, by the calls that wrote it. Only those files count to which at
 * least half of the object's bytes went, where there are any: a store may keep others that it can do without.
 *
 * @param folders absolute paths of the folders there were before: a call that makes one of them anew fails
 * @returns a sentence for each problem; undefined when no file was seen to be written
 */
export function unsyncedOf(
  calls: readonly DiskCall[],
  sizeBytes: number,
  folders: Iterable<string>,
): readonly string[] | undefined {
  const seen = new Seen(folders);
  for (const call of calls) seen.take(call);
  const written = [...seen.files].filter(([, { bytes }]) => bytes > 0);
  if (written.length === 0) return undefined;
  const holding = written.filter(([, { bytes }]) => bytes >= sizeBytes / 2);
  return [...new Set((holding.length > 0 ? holding : written).flatMap(([path, file]) => seen.problemsOf(path, file)))];
}

class Seen {
  readonly files = new Map<string, Written>();
  /** by folder: the names made in it since it was last synced */
  readonly #made = new Map<string, Set<string>>();

  readonly #folders: Set<string>;

  constructor(folders: Iterable<string>) {
    this.#folders = new Set(folders);
  }

  take({ name, path, other, bytes = 0 }: DiskCall): void {
    if (path.endsWith(NAMELESS)) return;
    if (name.startsWith("open")) this.#create(path, name.endsWith("+sync"));
    else if (WRITES.test(name)) this.#write(path, bytes);
    else if (name === "fsync" || name === "fdatasync") this.#sync(path);
    else if (name === "sync" || name === "syncfs") this.#syncAll();
    else if (name.startsWith("mkd")) this.#makeFolder(path);
    else if (name.startsWith("link") && other !== undefined) this.#name(path, other);
    else if (name.startsWith("rename") && other !== undefined) this.#move(path, other);
    else if (name.startsWith("unlink") || name === "rmdir") this.#forget(path);
  }

  problemsOf(path: string, { isDirty, namedEarly }: Written): string[] {
    const problems: string[] = [];
    if (namedEarly !== undefined) problems.push(`${namedEarly} got its name before its bytes were synced.`);
    if (isDirty) problems.push(`${path} was not synced.`);
    for (let at = path; at !== dirname(at); at = dirname(at)) {
      const isNoted = this.#made.get(dirname(at))?.has(at) === true;
      if (isNoted) problems.push(`The folder ${dirname(at)} was not synced after ${at} was made in it.`);
    }
    return problems;
  }

  #create(path: string, syncs: boolean): void {
    this.files.set(path, { bytes: 0, isDirty: false, syncs });
    this.#note(path);
  }

  #makeFolder(path: string): void {
    if (this.#folders.has(path)) return;
    this.#folders.add(path);
    this.#note(path);
  }

  #write(path: string, bytes: number): void {
    const file = this.files.get(path) ?? { bytes: 0, isDirty: false, syncs: false };
    file.bytes += bytes;
    file.isDirty = !file.syncs;
    this.files.set(path, file);
  }

  #sync(path: string): void {
    const file = this.files.get(path);
    if (file !== undefined) file.isDirty = false;
    this.#made.delete(path);
  }

  #syncAll(): void {
    for (const file of this.files.values()) file.isDirty = false;
    this.#made.clear();
  }

  #name(from: string, to: string): void {
    const file = this.files.get(from);
    if (file !== undefined) {
      this.files.set(to, file);
      if (file.isDirty) file.namedEarly ??= to;
    }
    this.#note(to);
  }

  #move(from: string, to: string): void {
    this.#name(from, to);
    this.#forget(from);
    // A folder takes along what is in it.
    for (const [path, file] of [...this.files]) {
      if (!path.startsWith(`${from}/`)) continue;
      this.files.delete(path);
      this.files.set(`${to}${path.slice(from.length)}`, file);
      if (file.isDirty) file.namedEarly ??= to;
    }
  }

  #note(path: string): void {
    const folder = dirname(path);
    this.#made.set(folder, (this.#made.get(folder) ?? new Set()).add(path));
  }

  #forget(path: string): void {
    this.files.delete(path);
    this.#folders.delete(path);
    this.#made.get(dirname(path))?.delete(path);
  }
}
