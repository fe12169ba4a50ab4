import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { type KnownFile, toBundlePath } from "@keepsake/core";
import { pathKey, SmallFiles, type WalkEntry } from "@keepsake/files";
import { holdsJsonLines } from "./jsonl.js";
import { type StableFile, unreadFile } from "./kept-file.js";
import { addTo, emptyFingerprint, type Found, markOf, type MemoryLook } from "./look.js";
import { digestNow, readNow } from "./read-now.js";
import type { ReadRequest } from "./read-request.js";
import { readStable } from "./read-stable.js";
import type { Unreadable } from "./unreadable.js";

/** Something that was found, and what was read of it: a file's bytes, a link's target. */
export interface PinnedEntry {
  readonly found: Found;
  /** as of the reading; undefined when it kept changing */
  readonly mark: string | undefined;
  readonly content?: StableFile | Unreadable;
  readonly target?: Buffer | Unreadable;
}

/** How a tree is read. */
export interface TreeReading {
  readonly look: MemoryLook;
  readonly readLink: (found: WalkEntry) => Promise<Buffer | Unreadable>;
  readonly maxFileBytes: number;
  readonly exact: boolean;
  readonly scratchDir: string;
  /** what an earlier capture brought, by the path of the artifact */
  readonly known: ReadonlyMap<string, KnownFile>;
}

/** How often a busy tree is walked over until nothing has moved since the walk before. */
const PASSES = 6;
/** Up to so many entries a tree is looked at without a turn of the event loop; measured, 10 µs each. */
const AT_ONCE = 1_000;
/** Up to so many entries it is looked at while writers wait. */
const WHILE_HELD = 250;

/**
 * Private copies of what is in a memory directory, brought up to date as often as is asked for: what has not moved since
 * it was copied is not copied again.
 */
export class PinnedTree implements Disposable {
  readonly #reading: TreeReading;
  readonly #small: SmallFiles;
  #entries: ReadonlyMap<string, PinnedEntry> | undefined;
  #fingerprint: string | undefined;
  #copies = 0;

  constructor(reading: TreeReading) {
    this.#reading = reading;
    this.#small = new SmallFiles(join(reading.scratchDir, "small"));
  }

  /** In the order of the walk; undefined before the first {@link settle}. */
  get entries(): Iterable<PinnedEntry> | undefined {
    return this.#entries?.values();
  }

  /** What {@link fingerprint} would have said of exactly what is copied; undefined when something kept changing. */
  get pinned(): string | undefined {
    return this.#fingerprint;
  }

  /**
   * The first time it copies all there is, and leaves it to {@link fingerprint} to find out whether something moved meanwhile:
   * mostly nothing did, and another walk would cost as much. After that it copies what moved, again and again until a walk
   * finds nothing that did, or it is given up.
   */
  async settle(signal: AbortSignal | undefined): Promise<void> {
    const isFirst = this.#entries === undefined;
    for (let pass = 0; pass < PASSES; pass++) {
      const walk = this.#isUpTo(AT_ONCE) ? this.#reading.look.walkNow() : this.#reading.look.walk(signal);
      const entries = new Map<string, PinnedEntry>();
      let moved = false;
      for await (const found of walk) {
        const entry = this.#known(found) ?? (await this.#read(found, signal));
        moved ||= this.#entries?.get(keyOf(found)) !== entry;
        entries.set(keyOf(entry.found), entry);
      }
      await this.#replace(entries);
      if (isFirst || !moved) return;
    }
  }

  /** One pass while writers wait. @returns false when it is too much; what was copied before stays then */
  async freshen(withinMs: number): Promise<boolean> {
    if (!this.#isUpTo(WHILE_HELD)) return false;
    const until = performance.now() + withinMs;
    const entries = new Map<string, PinnedEntry>();
    for (const found of this.#reading.look.walkNow()) {
      if (performance.now() > until) return false;
      const entry = this.#known(found) ?? (await this.#readNow(found));
      if (entry === undefined) return false;
      entries.set(keyOf(found), entry);
    }
    await this.#replace(entries);
    return true;
  }

  /** Names, inodes, sizes and times of all that would be captured; and the bytes of what was copied just after a change. */
  async fingerprint(signal: AbortSignal | undefined): Promise<string> {
    const { look, maxFileBytes } = this.#reading;
    const hash = emptyFingerprint();
    if (look.appeared) hash.update("appeared\0");
    const walk = this.#isUpTo(AT_ONCE) ? look.walkNow() : look.walk(signal);
    for await (const found of walk) {
      const mark = markOf(found, maxFileBytes);
      addTo(hash, found, mark);
      if (found.type === "file" && !isAsRead(this.#entries?.get(keyOf(found)), mark)) hash.update("rewritten\0");
    }
    return hash.digest("hex");
  }

  [Symbol.dispose](): void {
    this.#small[Symbol.dispose]();
  }

  #isUpTo(count: number): boolean {
    return this.#entries !== undefined && this.#entries.size <= count;
  }

  /** What was read of it before, if it has not moved since. */
  #known(found: Found): PinnedEntry | undefined {
    const known = this.#entries?.get(keyOf(found));
    const mark = markOf(found, this.#reading.maxFileBytes);
    if (known?.found.type !== found.type || known.mark !== mark) return undefined;
    return isAsRead(known, mark) ? known : undefined;
  }

  async #read(found: Found, signal: AbortSignal | undefined): Promise<PinnedEntry> {
    if (found.type !== "file") return this.#readOther(found);
    return this.#fileEntry(found, this.#unread(found) ?? (await readStable({ ...this.#request(found), signal })));
  }

  /** A file that has not been written since an earlier capture. */
  #unread(found: WalkEntry): StableFile | undefined {
    // What is left off a file of JSON lines depends on how it is captured.
    if (holdsJsonLines(found.relative)) return undefined;
    const { known, maxFileBytes } = this.#reading;
    const before = known.get(toBundlePath(found.relative).path);
    return before?.mark === markOf(found, maxFileBytes) ? unreadFile(found.stats) : undefined;
  }

  async #readNow(found: Found): Promise<PinnedEntry | undefined> {
    if (found.type !== "file") return this.#readOther(found);
    const content = readNow(this.#request(found));
    return typeof content === "string" ? undefined : this.#fileEntry(found, content);
  }

  async #readOther(found: Found): Promise<PinnedEntry> {
    const mark = markOf(found, this.#reading.maxFileBytes);
    return found.type === "symlink" ? { found, mark, target: await this.#reading.readLink(found) } : { found, mark };
  }

  #fileEntry(found: WalkEntry, content: StableFile | Unreadable): PinnedEntry {
    const { maxFileBytes } = this.#reading;
    if (!("reason" in content)) return { found, mark: content.mark, content };
    return { found, mark: content.reason === "changing" ? undefined : markOf(found, maxFileBytes), content };
  }

  #request(found: WalkEntry): ReadRequest {
    const { exact, maxFileBytes, scratchDir } = this.#reading;
    const copy = join(scratchDir, `copy-${String(this.#copies++)}`);
    return { relative: found.relative, absolute: found.absolute, maxFileBytes, exact, small: this.#small, copy };
  }

  async #replace(entries: ReadonlyMap<string, PinnedEntry>): Promise<void> {
    const hash = emptyFingerprint();
    let settled = true;
    for (const { found, mark } of entries.values()) {
      addTo(hash, found, mark ?? "");
      settled &&= mark !== undefined;
    }
    const before = this.#entries;
    this.#entries = entries;
    this.#fingerprint = settled ? hash.digest("hex") : undefined;
    for (const [key, { content }] of before ?? []) {
      if (content !== undefined && !("reason" in content) && entries.get(key)?.content !== content)
        await content.release();
    }
  }
}

/** A folder that cannot be read is found twice: itself, and the failure to read it. */
function keyOf({ relative, type }: Found): string {
  return type === "failed" ? `${pathKey(relative)}\0failed` : pathKey(relative);
}

/** False when a file that was young when it was read holds other bytes by now, although its times are the same. */
function isAsRead(known: PinnedEntry | undefined, mark: string): boolean {
  if (known?.content === undefined || "reason" in known.content || known.mark !== mark) return true;
  const { youngSha256 } = known.content;
  return youngSha256 === undefined || known.found.type !== "file" || digestNow(known.found.absolute) === youngSha256;
}
