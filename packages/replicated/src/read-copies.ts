import { type ByteRange, digestOf, HashedStream, KeepsakeError, type StoredBody } from "@keepsake/core";
import { bySize } from "./compare-copies.js";
import type { DigestsBeside } from "./digest-beside.js";
import type { Group } from "./group.js";
import { heal } from "./heal.js";
import { readSmall } from "./read-small.js";
import { isSmall } from "./small-copies.js";
import { absence, type Copy, type Survey, survey } from "./survey.js";

interface Reading {
  readonly group: Group;
  readonly key: string;
  readonly range: ByteRange | undefined;
  readonly signal: AbortSignal | undefined;
  readonly found: Survey;
  /** in the order in which they are read; all of one size, and right where a digest lies beside */
  readonly copies: readonly Copy[];
  readonly damaged: readonly Copy[];
  readonly sha256: string | undefined;
}

/**
 * Reads an object from the first part that has it whole, and heals the others when it was read to its end.
 *
 * @throws KeepsakeError `E_NOT_FOUND`; `E_INTEGRITY` when no copy is what the digest beside says; the error of a part that is
 *   down where the others cannot know
 */
export async function readCopies(
  group: Group,
  digests: DigestsBeside,
  key: string,
  { range, signal }: { readonly range?: ByteRange | undefined; readonly signal?: AbortSignal | undefined },
): Promise<StoredBody> {
  const found = await survey(group.parts, group.notes, key, signal);
  if (found.copies.length === 0) throw absence(key, found, group.enough - 1);
  const ordered = inReadingOrder(group, found);
  const small = isSmall(key) ? await readSmall({ group, key, range, signal, found, ordered }) : undefined;
  if (small) return small;
  const sha256 = range === undefined ? await digests.of(key, signal) : undefined;
  const { right, damaged } =
    sha256 === undefined ? mostFrequent(ordered, key) : await byDigest(digests, ordered, sha256, signal);
  const [first] = right;
  if (first === undefined) throw noneRight(key, ordered.length);
  const { object } = found.copies.find((copy) => right.includes(copy)) ?? first;
  const reading = { group, key, range, signal, found, copies: right, damaged, sha256 };
  return { object, body: follow(reading) };
}

function inReadingOrder(group: Group, { copies, byNearness }: Survey): readonly Copy[] {
  const order = group.readingOrder(byNearness);
  return copies.toSorted((a, b) => order.indexOf(a.part) - order.indexOf(b.part));
}

/** Those of the size that most of them have. */
function mostFrequent(copies: readonly Copy[], key: string): { readonly right: readonly Copy[]; readonly damaged: [] } {
  const { right, wrong } = bySize(copies);
  for (const { part } of wrong)
    part.differs(`The store ${part.name} has another ${JSON.stringify(key)} than the others.`);
  return { right, damaged: [] };
}

async function byDigest(
  digests: DigestsBeside,
  copies: readonly Copy[],
  sha256: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly right: readonly Copy[]; readonly damaged: readonly Copy[] }> {
  const damaged: Copy[] = [];
  for (const [index, copy] of copies.entries()) {
    const answer = await readWhole(copy, () => digests.isRight(copy, sha256, signal), signal);
    if (answer === undefined) continue;
    // Those after it are looked at when one of them is needed.
    if (answer) return { right: copies.slice(index), damaged };
    copy.part.failed(new KeepsakeError("E_INTEGRITY", `Its copy of ${JSON.stringify(copy.object.key)} is damaged.`));
    damaged.push(copy);
  }
  return { right: [], damaged };
}

/** Not under the time limit of a question: reading takes as long as the object is large. */
async function readWhole<T>(
  { part }: Copy,
  read: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    signal?.throwIfAborted();
    part.failed(error);
    return undefined;
  }
}

/** The bytes of the first copy; where it breaks off, on from the next of the same size. */
async function* follow(reading: Reading): AsyncGenerator<Uint8Array> {
  const { group, key, range, copies, sha256 } = reading;
  const hashed = new HashedStream(untilTheEnd(reading));
  yield* hashed;
  if (range !== undefined) return;
  if (sha256 !== undefined && hashed.digest.sha256 !== sha256) throw noneRight(key, copies.length);
  await healOthers(group, reading, hashed.digest.sha256);
}

async function* untilTheEnd({ key, range, signal, copies }: Reading): AsyncGenerator<Uint8Array> {
  let given = 0;
  for (const [index, { part, object }] of copies.entries()) {
    const start = range?.start ?? 0;
    const length = range?.length ?? object.sizeBytes;
    const rest = given === 0 ? range : { start: start + given, length: length - given };
    try {
      const { body } = await part.store.get(key, { signal, ...(rest === undefined ? {} : { range: rest }) });
      for await (const chunk of body) {
        yield chunk;
        given += chunk.length;
      }
      return;
    } catch (error) {
      signal?.throwIfAborted();
      const next = copies[index + 1];
      if (next?.object.sizeBytes !== object.sizeBytes || (given > 0 && !next.part.store.capabilities.ranges))
        throw error;
      part.failed(error);
    }
  }
}

async function healOthers(group: Group, { key, signal, found, copies, damaged, sha256 }: Reading, read: string) {
  const { stale, copies: all } = found;
  // A record makes a snapshot exist, and is not to be there before its bundle: `sync` brings both, in their order.
  const absent = key.endsWith(".json") ? [] : found.absent;
  const [source] = copies;
  if (source === undefined || absent.length + stale.length + damaged.length === 0) return;
  // Without a digest beside it, what all who have it agree on is right.
  if (sha256 === undefined && !(await allAgree(all, key, read, signal))) return;
  const wrong = [...stale, ...damaged].map(({ part }) => part);
  await heal(group, { key, source, sha256: read, absent, wrong }, signal);
}

async function allAgree(copies: readonly Copy[], key: string, sha256: string, signal: AbortSignal | undefined) {
  for (const copy of copies) {
    const digest = await readWhole(
      copy,
      async () => digestOf((await copy.part.store.get(key, { signal })).body),
      signal,
    );
    if (digest === undefined) return false;
    if (digest.sha256 === sha256) continue;
    copy.part.differs(`The store ${copy.part.name} has another ${JSON.stringify(key)} than the one that was read.`);
    return false;
  }
  return true;
}

function noneRight(key: string, copies: number): KeepsakeError {
  return new KeepsakeError(
    "E_INTEGRITY",
    `None of ${copies} copies of ${JSON.stringify(key)} is what its digest says.`,
    {
      context: { key },
    },
  );
}
