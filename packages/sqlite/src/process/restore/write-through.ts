import { existsSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { KeepsakeError } from "@keepsake/core/basics";
import { backupTo, beginReading, ChangedWhileCopied, connect, endTransaction } from "../capture/connection.js";
import type { WriteThrough } from "../protocol.js";
import { isBusy, keepsakeErrorOf } from "../sqlite-error.js";
import { fsyncPath, mark, unmark } from "./durable-marks.js";
import { Pour } from "./pour.js";
import { UndoCopy } from "./undo-copy.js";

/** How long writers in the live databases are waited for, in milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;
/** How long some of the databases are held while another one is waited for: its holder may be waiting for us. */
const PATIENCE_MS = 100;
const RETRY_MS = 10;

/** Copies what a live database holds now. */
export async function copyForUndo(live: string, undo: string, signal: AbortSignal): Promise<void> {
  const connection = connect(live, "read");
  try {
    await whileBusy(deadline(), [live], signal, async () => {
      beginReading(connection);
      return true;
    });
    await backupTo(connection, undo, signal);
  } finally {
    endTransaction(connection);
    connection.close();
  }
  fsyncPath(undo, "r+");
}

/**
 * Gives live databases the staged content through SQLite: whoever has one open sees the old rows until it is done, and
 * the staged ones from then on. All are locked before the first is written, and committed one straight after the other:
 * a transaction over several of them is before the restore in all, or after it in all.
 *
 * @throws KeepsakeError `E_SOURCE_BUSY` when they cannot be locked together; then none was changed
 */
export async function writeThrough(steps: readonly WriteThrough[], signal: AbortSignal): Promise<null> {
  // Done before: whoever has it open may have written since.
  const pending = steps.filter(({ begun }) => !existsSync(doneMark(begun)));
  const files = onceEach(pending);
  await whileBusy(deadline(), livesOf(files), signal, async (order) => {
    const ordered = order(files);
    const undos: UndoCopy[] = [];
    try {
      for (const { live, undo, begun } of files) {
        // Where it had begun, what is live may be the new content: the old one is what was copied then.
        if (!existsSync(begun)) undos.push(await UndoCopy.make(live, undo, signal));
      }
      return await together(ordered, "staged", signal, {
        locked: async () => {
          for (const undo of undos) if (!undo.isCurrent()) await undo.renew(signal);
        },
        finish: (pours) => commitAll(ordered, pours),
      });
    } finally {
      for (const undo of undos) undo[Symbol.dispose]();
    }
  });
  waitForDisk(files);
  for (const { begun } of pending) mark(doneMark(begun));
  return null;
}

/** Takes {@link writeThrough} back where it had begun, in all databases together. */
export async function undoWriteThrough(steps: readonly WriteThrough[], signal: AbortSignal): Promise<null> {
  const begun = steps.filter((step) => existsSync(step.begun));
  const files = onceEach(begun);
  await whileBusy(deadline(), livesOf(files), signal, (order) =>
    together(order(files), "undo", signal, {
      locked: async () => undefined,
      finish: async (pours) => {
        for (const pour of pours) await pour.finish();
      },
    }),
  );
  waitForDisk(files);
  for (const step of steps) unmark(doneMark(step.begun), step.begun);
  return null;
}

/** The backup's own connection does not wait for the disk when it commits to a log. */
function waitForDisk(steps: readonly WriteThrough[]): void {
  for (const { live } of steps) {
    for (const file of [live, `${live}-wal`]) if (existsSync(file)) fsyncPath(file, "r+");
  }
}

/** Nothing but the last page of each is still to come: it is as good as done in one instant. */
async function commitAll(steps: readonly WriteThrough[], pours: readonly Pour[]): Promise<void> {
  for (const { begun } of steps) mark(begun);
  for (const [index, pour] of pours.entries()) {
    try {
      await pour.finish();
    } catch (error) {
      // Those after it were not changed: others may write to them from now on, and an undo must not take that away.
      unmark(...steps.slice(index + 1).map(({ begun }) => begun));
      // Not to be tried again, whatever it is: those before it are written.
      throw keepsakeErrorOf(error, "The databases could not be written");
    }
  }
}

/** What is done while all databases are locked: before anything is copied into them, and when all but the last page is. */
interface WhileLocked {
  locked(): Promise<void>;
  finish(pours: readonly Pour[]): Promise<void>;
}

/** Locks all, fills all, and finishes them. @returns false when one of them is held by somebody else */
async function together(
  steps: readonly WriteThrough[],
  content: "staged" | "undo",
  signal: AbortSignal,
  work: WhileLocked,
): Promise<boolean> {
  const pours: Pour[] = [];
  const patience = performance.now() + PATIENCE_MS;
  try {
    for (const step of steps) {
      const pour = await lockWithin(patience, step[content], step.live, signal);
      if (pour === undefined) return false;
      pours.push(pour);
    }
    await work.locked();
    for (const pour of pours) await pour.fill(signal);
    await work.finish(pours);
    return true;
  } finally {
    await Promise.all(pours.map((pour) => pour.giveUp()));
  }
}

async function lockWithin(until: number, from: string, to: string, signal: AbortSignal): Promise<Pour | undefined> {
  for (;;) {
    signal.throwIfAborted();
    const pour = await Pour.lock(from, to);
    if (pour !== undefined || performance.now() >= until) return pour;
    await sleep(1 + Math.random());
  }
}

/** Two names of one file are one database: the second could never be locked. */
function onceEach(steps: readonly WriteThrough[]): readonly WriteThrough[] {
  const byFile = new Map<string, WriteThrough>();
  for (const step of steps) {
    const { dev, ino } = statSync(step.live, { bigint: true });
    byFile.set(`${String(dev)}:${String(ino)}`, step);
  }
  return [...byFile.values()];
}

const livesOf = (steps: readonly WriteThrough[]): readonly string[] => steps.map(({ live }) => live);
const deadline = (): number => performance.now() + BUSY_TIMEOUT_MS;

function doneMark(begun: string): string {
  return `${begun}.done`;
}

type Order = (steps: readonly WriteThrough[]) => readonly WriteThrough[];
const inOrder: Order = (steps) => steps;
const reversed: Order = (steps) => steps.toReversed();

/** Tries until it is done: the backup's own connection does not wait for others, so waiting is ours. */
async function whileBusy(
  until: number,
  lives: readonly string[],
  signal: AbortSignal,
  attempt: (order: Order) => Promise<boolean>,
): Promise<void> {
  // From the other end at every other attempt: whichever way round a writer takes them, one of ours is the same.
  for (let order: Order = inOrder; ; order = order === inOrder ? reversed : inOrder) {
    signal.throwIfAborted();
    try {
      if (await attempt(order)) return;
    } catch (error) {
      signal.throwIfAborted();
      if (!isBusy(error) && !(error instanceof ChangedWhileCopied)) throw error;
    }
    if (performance.now() >= until) throw staysLocked(lives);
    // With jitter: a writer that waits for what we hold while we wait for what it holds must not meet us again.
    await sleep(RETRY_MS * (0.5 + Math.random()));
  }
}

function staysLocked(lives: readonly string[]): KeepsakeError {
  const [first = "", ...others] = lives;
  const which = others.length === 0 ? `The database ${first} stays` : `The databases ${lives.join(", ")} stay`;
  return new KeepsakeError("E_SOURCE_BUSY", `${which} locked by another process.`, {
    context: { database: first, databases: [...lives], waited_ms: BUSY_TIMEOUT_MS },
    hint: "Try again when its transaction has ended.",
  });
}
