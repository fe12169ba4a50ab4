import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { KeepsakeError } from "@keepsake/core/basics";
import { attributesOf } from "@keepsake/files";
import { discover } from "../discovery.js";
import { SIDECARS } from "../sidecars.js";
import type { CopyResult, Discovery, FoundDatabase, OpenRequest } from "../protocol.js";
import { isBusy, isLeftInTransaction, keepsakeErrorOf } from "../sqlite-error.js";
import { ChangedWhileCopied } from "./connection.js";
import { finishCopy } from "./finish-copy.js";
import { openLive } from "./open-live.js";
import { seeDatabase, type SeenDatabase } from "./seen-database.js";
import type { LiveDatabase } from "./live-database.js";
import { damaged, explain, type Omitted, unreadable } from "./omitted.js";

/** How many bytes of rollback-journal databases may be copied while their writers wait: well under a second. */
const PIN_BUDGET_BYTES = 128 * 1024 * 1024;
/** When a hold ends by itself: writers usually wait 5 s, and the process that asked may be one of them. */
const HOLD_LIMIT_MS = 2000;
const RETRY_MS = 2;
const TRIES_AT_ONCE = 8;
/** How long one database is waited for while those before it are held. */
const PATIENCE_MS = 50;
/** How long a question that takes no lasting lock may wait for a writer. */
const ASK_LIMIT_MS = 2000;

interface Subject {
  readonly found: FoundDatabase;
  readonly target: string;
  /** which file had that name when it was opened */
  readonly file: string;
  /** undefined once it is known that it cannot be captured */
  live: LiveDatabase | undefined;
  why: Omitted | undefined;
  /** as it was before it was opened here */
  readonly before: SeenDatabase | undefined;
  /** set once it is pinned, where a later capture can tell by it that nothing has changed */
  seen: SeenDatabase | undefined;
  /** the mark that it had when it was captured before */
  readonly known: string | undefined;
  /** the copying that has begun; the copy is looked at when it is asked for, not while other writers wait */
  bytes: Promise<void> | undefined;
  copied: Promise<CopyResult> | undefined;
}

/** One capture in the helper process: all databases of a session. */
export class CaptureHost {
  readonly discovery: Discovery;
  readonly #subjects: Subject[];
  /** ends the copying that has begun */
  #copying = new AbortController();
  #hold: "none" | "held" | "expired" = "none";
  /** the commit counts of what can be locked: as first seen, and as they were when everything was pinned */
  #firstVersions: string | undefined;
  #pinnedVersions: string | undefined;
  #isPinned = false;
  #expiry: NodeJS.Timeout | undefined;

  private constructor(discovery: Discovery, subjects: Subject[]) {
    this.discovery = discovery;
    this.#subjects = subjects;
  }

  static async open({ selection, scratchDir, known }: OpenRequest, signal: AbortSignal): Promise<CaptureHost> {
    const discovery = await discover(selection, signal);
    let budget = PIN_BUDGET_BYTES;
    const subjects = discovery.databases.map((found, index): Subject => {
      const target = join(scratchDir, `${String(index)}.sqlite`);
      const none = { live: undefined, why: undefined, seen: undefined, bytes: undefined, copied: undefined };
      const before = seeDatabase(found.file);
      const subject: Subject = { found, target, file: fileOf(found), before, known: known[found.path], ...none };
      attempt(subject, () => {
        subject.live = openLive(found.file, budget);
        if (subject.live.blocksWriters) budget -= statSync(found.file).size;
      });
      return subject;
    });
    return new CaptureHost(discovery, subjects);
  }

  /** Holds all databases at once, or none. @throws KeepsakeError `E_SOURCE_BUSY` */
  async hold(timeoutMs: number, signal: AbortSignal): Promise<null> {
    const deadline = performance.now() + timeoutMs;
    try {
      for (;;) {
        const busy = await this.#tryHold(deadline, signal);
        if (busy === undefined) break;
        this.#releaseAll();
        if (performance.now() >= deadline) throw busyError(busy.found, timeoutMs);
        await delay(RETRY_MS);
      }
    } catch (error) {
      this.#releaseAll();
      throw error;
    }
    this.#hold = "held";
    this.#expiry = setTimeout(() => {
      this.#releaseAll();
      this.#hold = "expired";
    }, HOLD_LIMIT_MS);
    return null;
  }

  /** Lets writers go on. What was pinned meanwhile begins to be copied: nothing else has to be waited for. */
  release(): null {
    this.#releaseAll();
    this.#endHold();
    if (this.#isPinned) void this.#copyAhead(this.#copying.signal);
    return null;
  }

  async pin(signal: AbortSignal): Promise<"held" | "fenced"> {
    if (this.#hold === "expired") this.#endHold();
    for (const subject of this.#subjects)
      attempt(subject, () => {
        if (subject.live !== undefined && fileOf(subject.found) !== subject.file) throw changedError(subject.found);
      });
    const pins = await this.#ask(signal, (live) => live.pin());
    // Under a hold nothing was committed between the first pin and the last. Without one, the counts have to show it.
    this.#pinnedVersions = this.#hold === "held" ? (this.#firstVersions ?? "") : await this.#versions(signal);
    for (const [index, subject] of this.#subjects.entries())
      subject.seen = this.#hold === "held" && pins[index] === "held" ? seeDatabase(subject.found.file) : undefined;
    this.#copyBlocking();
    const isFenced = pins.includes("fenced");
    // Where a fence is asked for, it must not wait for a copy.
    this.#isPinned = !isFenced;
    return isFenced ? "fenced" : "held";
  }

  /** What may not have changed: what can be locked, until it is pinned; all else, until it is copied. */
  async fence(signal: AbortSignal): Promise<string> {
    const versions = this.#pinnedVersions ?? (await this.#versions(signal));
    this.#firstVersions ??= versions;
    return [versions, ...(await this.#ask(signal, (live) => live.fence()))].join("\n");
  }

  copy(index: number, signal: AbortSignal): Promise<CopyResult> {
    const subject = this.#subjects[index];
    if (subject === undefined) throw new TypeError(`There is no database ${String(index)}.`);
    return (subject.copied ??= this.#copy(subject, AbortSignal.any([signal, this.#copying.signal])));
  }

  /** Lets go of what is pinned and of what was copied of it, so that all can be held and pinned anew. */
  async unpin(): Promise<null> {
    await this.#stopCopying();
    this.#copying = new AbortController();
    for (const subject of this.#subjects) {
      subject.bytes = subject.copied = subject.seen = undefined;
      subject.live?.unpin();
      for (const suffix of ["", ...SIDECARS]) rmSync(`${subject.target}${suffix}`, { force: true });
    }
    this.#firstVersions = this.#pinnedVersions = undefined;
    this.#isPinned = false;
    return null;
  }

  async close(): Promise<void> {
    clearTimeout(this.#expiry);
    await this.#stopCopying();
    for (const { live } of this.#subjects) live?.close();
  }

  /** One after the other, as they will be asked for; whoever asks for one gets what became of it. */
  async #copyAhead(signal: AbortSignal): Promise<void> {
    // A copy is checked without a pause: not while writers wait for another one.
    await Promise.allSettled(this.#subjects.flatMap(({ bytes }) => bytes ?? []));
    for (const subject of this.#subjects) {
      if (signal.aborted) return;
      await (subject.copied ??= this.#copy(subject, signal)).catch(() => undefined);
    }
  }

  async #stopCopying(): Promise<void> {
    this.#copying.abort();
    for (const { bytes, copied } of this.#subjects) {
      await bytes?.catch(() => undefined);
      await copied?.catch(() => undefined);
    }
  }

  /** Takes one database after the other in their order, and waits a little for each: a writer on its way gets through. */
  async #tryHold(deadline: number, signal: AbortSignal): Promise<Subject | undefined> {
    for (const subject of this.#subjects) {
      const until = Math.min(deadline, performance.now() + PATIENCE_MS);
      // A writer that was killed since it was looked at does not come back: another look will find it out.
      const reply = await patiently(subject, until, signal, isInTheWay, (live) => {
        live.hold();
      });
      if (reply.busy !== undefined) return subject;
    }
    return undefined;
  }

  async #versions(signal: AbortSignal): Promise<string> {
    return (await this.#ask(signal, (live) => live.version())).join(",");
  }

  /** Asks every database that can be captured. @throws KeepsakeError `E_SOURCE_BUSY` */
  async #ask<T>(signal: AbortSignal, question: (live: LiveDatabase) => T): Promise<(T | undefined)[]> {
    const replies: (T | undefined)[] = [];
    const until = performance.now() + ASK_LIMIT_MS;
    for (const subject of this.#subjects) {
      const { value, busy } = await patiently(subject, until, signal, isBusy, question);
      if (busy !== undefined) throw busyError(subject.found, ASK_LIMIT_MS, busy);
      replies.push(value);
    }
    return replies;
  }

  #releaseAll(): void {
    for (const { live } of this.#subjects) live?.release();
  }

  #endHold(): void {
    clearTimeout(this.#expiry);
    const expired = this.#hold === "expired";
    this.#hold = "none";
    if (!expired) return;
    throw new KeepsakeError("E_SOURCE_BUSY", "The databases were held for too long and were let go.", {
      context: { limit_ms: HOLD_LIMIT_MS },
    });
  }

  /** Starts, and does not await, the copies that writers wait for: one after the other, each pin ends with its copy. */
  #copyBlocking(): void {
    const { signal } = this.#copying;
    let previous: Promise<unknown> = Promise.resolve();
    for (const subject of this.#subjects) {
      if (subject.live?.blocksWriters !== true) continue;
      if (isKnown(subject)) {
        subject.live.unpin();
        continue;
      }
      const { live, target } = subject;
      const bytes = previous.then(() => live.copyTo(target, signal));
      subject.bytes = bytes;
      previous = bytes.catch(() => undefined);
    }
  }

  async #copy(subject: Subject, signal: AbortSignal): Promise<CopyResult> {
    const { live, found, target } = subject;
    if (live === undefined) return subject.why ?? unreadable(new Error("unknown"));
    const { seen } = subject;
    if (seen !== undefined && isKnown(subject)) {
      live.unpin();
      const { mode, mtimeMs, mark } = seen;
      return { status: "known", mode, mtimeMs, mark };
    }
    try {
      await (subject.bytes ?? live.copyTo(target, signal));
      signal.throwIfAborted();
      const finished = finishCopy(target);
      if (!finished.sound) return damaged(finished.detail);
      const { mode, mtimeMs } = attributesOf(statSync(found.file, { bigint: true }));
      const { userVersion, facts } = finished;
      const mark = seen === undefined ? {} : { mark: seen.mark };
      return { status: "copied", file: target, mode, mtimeMs, userVersion, facts, ...mark };
    } catch (error) {
      if (error instanceof ChangedWhileCopied) throw changedError(found);
      const why = explain(error, found.file);
      if (why !== undefined) return why;
      if (error instanceof Error && error.name === "AbortError") throw error;
      throw keepsakeErrorOf(error, `The database ${JSON.stringify(found.path)} could not be copied`, {
        database: found.path,
      });
    }
  }
}

/** True of what was captured before, and has not changed since. */
function isKnown({ before, seen, known }: Subject): boolean {
  return before !== undefined && before.mark === known && before.mark === seen?.mark;
}

/** Does something with a database; one that turns out to be unreadable is set aside, and the others go on. */
function attempt(subject: Subject, work: () => void): void {
  try {
    work();
  } catch (error) {
    const why = explain(error, subject.found.file);
    if (why === undefined) throw error;
    const { live } = subject;
    subject.live = undefined;
    subject.why = why;
    live?.close();
  }
}

/** Tells a file from the one that takes its name; "" where there is none. */
function fileOf({ file }: FoundDatabase): string {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? "" : `${String(stats.dev)} ${String(stats.ino)}`;
}

interface Reply<T> {
  readonly value?: T;
  /** what was in the way until the end */
  readonly busy?: unknown;
}

/** Asks a database until nobody is in the way any more. */
async function patiently<T>(
  subject: Subject,
  until: number,
  signal: AbortSignal,
  isInWay: (error: unknown) => boolean,
  question: (live: LiveDatabase) => T,
): Promise<Reply<T>> {
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    try {
      let reply: Reply<T> = {};
      attempt(subject, () => {
        if (subject.live !== undefined) reply = { value: question(subject.live) };
      });
      return reply;
    } catch (error) {
      if (!isInWay(error)) throw error;
      if (performance.now() >= until) return { busy: error };
    }
    // A writer without a pause lets go for some microseconds: several tries are made before waiting again.
    await (tries % TRIES_AT_ONCE === 0 ? delay(RETRY_MS) : nextTurn());
  }
}

function isInTheWay(error: unknown): boolean {
  return isBusy(error) || isLeftInTransaction(error);
}

function busyError({ path }: FoundDatabase, waitedMs: number, cause?: unknown): KeepsakeError {
  return new KeepsakeError("E_SOURCE_BUSY", `Another process is writing to the database ${JSON.stringify(path)}.`, {
    cause,
    context: { database: path, waited_ms: waitedMs },
    hint: "Try again when its transaction has ended.",
  });
}

function changedError({ path }: FoundDatabase): KeepsakeError {
  return new KeepsakeError(
    "E_SOURCE_CHANGED",
    `The database ${JSON.stringify(path)} was changed while it was copied.`,
    {
      context: { database: path },
    },
  );
}
