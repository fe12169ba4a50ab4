import { type ByteStream, isKeepsakeError, KeepsakeError, orAborted, type StoredObject } from "@keepsake/core";
import { type Branch, FanOut } from "./fan-out.js";
import type { Group } from "./group.js";
import type { Part } from "./part.js";
import { survey } from "./survey.js";

/** How long a part that was told to stop may take for it before it is left behind, in milliseconds. */
const LAST_WORDS_MS = 5000;

/** The writing of one object into one part. */
interface Writing {
  readonly part: Part;
  readonly branch: Branch;
  readonly stop: AbortController;
  outcome: { readonly object: StoredObject } | { readonly error: KeepsakeError } | undefined;
  readonly settled: Promise<void>;
  /** resolves when it was told to stop, whether it listens or not */
  readonly givenUp: Promise<void>;
}

/**
 * Writes an object to all parts in one pass over its bytes, and makes it visible: first in the arbiter, the first part in
 * which of several writers exactly one wins, then in the others. Who loses there shows nothing elsewhere.
 *
 * @throws KeepsakeError `E_ALREADY_EXISTS` when any part that can be reached has the key; the first part's error when fewer
 *   than enough took it; `E_CONFIG` when two parts turn out to be one place; what the body throws; the signal's reason. Nothing stays visible then, also in the parts that took it
 */
export async function putEverywhere(
  group: Group,
  key: string,
  body: ByteStream,
  signal: AbortSignal | undefined,
): Promise<StoredObject> {
  const ready = await partsReadyFor(group, key, signal);
  const fan = new FanOut(ready.length);
  const writings = fan.branches.flatMap((branch, index) => {
    const part = ready[index];
    return part ? [startWriting(part, branch, key, signal)] : [];
  });
  try {
    const alive = (): Writing[] => writings.filter(({ outcome }) => outcome === undefined);
    await fan.pump(body, {
      signal,
      stallMs: group.stallMs,
      stalled: (branch) => writings.filter((writing) => writing.branch === branch).forEach(giveUp),
      enough: () => alive().length >= group.enough && !writings.some(lost),
    });
    refuseVain(group, writings, alive().length, key);
    await commit(group, writings, key, signal);
    const first = writings.find(({ outcome }) => outcome && "object" in outcome)?.outcome;
    if (first && "object" in first) return first.object;
    throw new TypeError("An object that was written everywhere is nowhere.");
  } catch (error) {
    await withdraw(group, writings, key, error);
    // It was free everywhere: another was faster, or the part that took it first is this one under another name.
    if (writings.some(lost)) await group.places.assertDistinct(signal);
    throw error;
  }
}

/** The parts that take the key: those that can be reached and hold nothing, or only what is out of date and goes. */
async function partsReadyFor(group: Group, key: string, signal: AbortSignal | undefined): Promise<readonly Part[]> {
  const { parts, notes, enough } = group;
  const { copies, stale, absent, down } = await survey(parts, notes, key, signal);
  if (copies.length > 0) throw taken(key);
  const ready = new Set(absent);
  for (const { part } of stale) {
    const gone = await part.ask(signal, (inner) => part.store.delete(key, { signal: inner }));
    if ("value" in gone) ready.add(part);
  }
  const [first] = down;
  if (ready.size < enough && first !== undefined) throw tooFew(group, ready.size, key, first.error);
  return parts.filter((part) => ready.has(part));
}

function startWriting(part: Part, branch: Branch, key: string, signal: AbortSignal | undefined): Writing {
  const stop = new AbortController();
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const writing: { -readonly [K in keyof Writing]: Writing[K] } = {
    part,
    branch,
    stop,
    outcome: undefined,
    settled: Promise.resolve(),
    givenUp: new Promise((resolve) => {
      stop.signal.addEventListener("abort", () => resolve(), { once: true });
    }),
  };
  writing.settled = part.store.put(key, branch, { signal: both }).then(
    (object) => {
      // Also of one that was given up: it is to be undone when the whole fails.
      writing.outcome = { object };
      branch.leave();
    },
    (error: unknown) => {
      // Who was told to stop fails with what it was told.
      writing.outcome ??= { error: both.aborted || branch.wasFailed ? stopped(error) : part.failed(error) };
      branch.leave();
    },
  );
  return writing;
}

function stopped(cause: unknown): KeepsakeError {
  return isKeepsakeError(cause) ? cause : new KeepsakeError("E_IO", "The writing was stopped.", { cause });
}

/** Waits until a part has answered; one that does not is given up. */
async function settle(group: Group, writing: Writing, signal: AbortSignal | undefined): Promise<void> {
  const timer = setTimeout(() => giveUp(writing), group.stallMs);
  try {
    await orAborted(Promise.race([writing.settled, writing.givenUp]), signal);
  } finally {
    clearTimeout(timer);
  }
}

function giveUp(writing: Writing): void {
  const error = writing.part.failed(writing.part.silent());
  writing.outcome ??= { error };
  writing.branch.fail(error);
  writing.stop.abort(error);
}

function lost({ outcome }: Writing): boolean {
  return outcome !== undefined && "error" in outcome && outcome.error.code === "E_ALREADY_EXISTS";
}

/** Before anything is visible: is there still a chance? */
function refuseVain(group: Group, writings: readonly Writing[], alive: number, key: string): void {
  if (writings.some(lost)) throw taken(key);
  if (alive < group.enough) throw tooFew(group, alive, key, firstError(writings));
}

async function commit(
  group: Group,
  writings: readonly Writing[],
  key: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const waiting = (): Writing[] => writings.filter(({ outcome }) => outcome === undefined);
  // One that fails to be the arbiter leaves it to the next.
  while (!writings.some(({ outcome }) => outcome && "object" in outcome)) {
    const [arbiter] = waiting().toSorted((a, b) => Number(group.isArbiter(b.part)) - Number(group.isArbiter(a.part)));
    if (arbiter === undefined) break;
    arbiter.branch.finish();
    await settle(group, arbiter, signal);
    refuseVain(group, writings, taking(writings), key);
  }
  const others = waiting();
  for (const { branch } of others) branch.finish();
  await Promise.all(others.map((writing) => settle(group, writing, signal)));
  refuseVain(group, writings, taking(writings), key);
}

/** Those that took the object, or still may. */
function taking(writings: readonly Writing[]): number {
  return writings.filter(({ outcome }) => outcome === undefined || "object" in outcome).length;
}

/** Takes everything back; what cannot be reached for that is noted to be out of date. */
async function withdraw(group: Group, writings: readonly Writing[], key: string, error: unknown): Promise<void> {
  const undo = async ({ part }: Writing): Promise<void> => {
    const gone = await part.ask(undefined, (signal) => part.store.delete(key, { signal }));
    if ("error" in gone) await group.notes.add(part, key, undefined);
  };
  const ending = writings.map(async (writing) => {
    const wasRunning = writing.outcome === undefined;
    if (wasRunning) writing.branch.fail(error);
    const timer = wasRunning ? setTimeout(() => writing.stop.abort(error), LAST_WORDS_MS / 2) : undefined;
    await writing.settled;
    clearTimeout(timer);
    if (writing.outcome && "object" in writing.outcome) await undo(writing);
  });
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LAST_WORDS_MS);
  });
  // One that listens to nothing is left behind; what it does in spite of all is undone when it ends.
  await Promise.race([Promise.allSettled(ending), limit]);
  clearTimeout(timer);
}

function firstError(writings: readonly Writing[]): KeepsakeError | undefined {
  for (const { outcome } of writings) if (outcome && "error" in outcome) return outcome.error;
  return undefined;
}

function taken(key: string): KeepsakeError {
  return new KeepsakeError("E_ALREADY_EXISTS", `There is already an object ${JSON.stringify(key)}.`, {
    context: { key },
  });
}

/** With the first part's own code: that the disk is full is to be seen. */
function tooFew(group: Group, took: number, key: string, first: KeepsakeError | undefined): KeepsakeError {
  const message = `Only ${took} of ${group.parts.length} stores take ${JSON.stringify(key)}, and ${group.enough} have to`;
  return new KeepsakeError(first?.code ?? "E_IO", `${message}${first ? `: ${first.message}` : "."}`, {
    ...(first ? { cause: first, retry: first.retry } : {}),
    context: { key, took, enough: group.enough },
    hint: "Mend the store that is down, or lower `write`.",
  });
}
