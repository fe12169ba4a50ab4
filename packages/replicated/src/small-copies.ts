import { collectBytes, isKeepsakeError, parseRecord, sha256Hex, type SnapshotRecord } from "@keepsake/core";
import type { Group } from "./group.js";
import { type Copy, survey } from "./survey.js";

const RECORD = ".json";
const DIGEST = ".sha256";
/** What is larger is no record and no digest, whatever its name. */
const MAX_BYTES = 1024 * 1024;

/** A record or a digest: nothing lies beside it that tells whether it is right, but it is small enough to compare all copies. */
export function isSmall(key: string): boolean {
  return key.endsWith(RECORD) || key.endsWith(DIGEST);
}

/** What the copies of a small object say, taken together. */
export interface Election {
  readonly bytes: Uint8Array;
  /** the one that has these very bytes */
  readonly copy: Copy;
  /** the copies that say this, in the order in which they were given */
  readonly right: readonly Copy[];
  readonly wrong: readonly Copy[];
  /** false where as many say something else, and nothing tells which of them is right */
  readonly isDecided: boolean;
}

interface Vote {
  readonly copy: Copy;
  readonly bytes: Uint8Array;
  /** what it means: two records of one bundle mean the same, whatever checks they note */
  readonly meaning: string;
  /** it is what its name says it is */
  readonly isReadable: boolean;
}

/**
 * Reads every copy of a small object. A digest that the record confirms is right; a record that can be read comes before those
 * that cannot; else what most of them say counts, and of what is said equally often what is first in the order given.
 *
 * @returns undefined when no copy can be read, or one is too large to be compared
 */
export async function elect(
  group: Group,
  key: string,
  copies: readonly Copy[],
  signal: AbortSignal | undefined,
): Promise<Election | undefined> {
  if (copies.some(({ object }) => object.sizeBytes > MAX_BYTES)) return undefined;
  const votes = (await Promise.all(copies.map((copy) => voteOf(copy, key, signal)))).filter(
    (vote) => vote !== undefined,
  );
  const meanings = new Set(votes.map(({ meaning }) => meaning));
  const confirmed = meanings.size > 1 ? await confirmedBy(group, key, signal) : undefined;
  const [first, ...others] = ranked(votes, confirmed);
  if (first === undefined) return undefined;
  const isRight = (copy: Copy) => votes.some((vote) => vote.copy === copy && vote.meaning === first.meaning);
  return {
    bytes: first.bytes,
    copy: first.copy,
    right: copies.filter(isRight),
    wrong: votes.filter(({ meaning }) => meaning !== first.meaning).map(({ copy }) => copy),
    isDecided: !others.some(
      (other) => other.meaning !== first.meaning && compare(first, other, votes, confirmed) === 0,
    ),
  };
}

async function voteOf(copy: Copy, key: string, signal: AbortSignal | undefined): Promise<Vote | undefined> {
  const answer = await copy.part.ask(signal, async (inner) =>
    collectBytes((await copy.part.store.get(key, { signal: inner })).body, MAX_BYTES),
  );
  if ("error" in answer) return undefined;
  const bytes = answer.value;
  const meaning = key.endsWith(DIGEST) ? digestIn(bytes) : meaningOf(bytes);
  return { copy, bytes, meaning: meaning ?? sha256Hex(bytes), isReadable: meaning !== undefined };
}

/** The best first. */
function ranked(votes: readonly Vote[], confirmed: string | undefined): readonly Vote[] {
  return votes.toSorted((a, b) => compare(a, b, votes, confirmed) || timesSaid(b, votes) - timesSaid(a, votes));
}

function compare(a: Vote, b: Vote, votes: readonly Vote[], confirmed: string | undefined): number {
  const count = ({ meaning }: Vote) => votes.filter((vote) => vote.meaning === meaning).length;
  return (
    Number(b.meaning === confirmed) - Number(a.meaning === confirmed) ||
    Number(b.isReadable) - Number(a.isReadable) ||
    count(b) - count(a)
  );
}

function timesSaid({ bytes }: Vote, votes: readonly Vote[]): number {
  return votes.filter((vote) => Buffer.compare(vote.bytes, bytes) === 0).length;
}

/** The digest in a `.sha256`, 64 lower-case hex digits; undefined where it holds none. */
export function digestIn(bytes: Uint8Array): string | undefined {
  return /^([0-9a-f]{64})\n?$/.exec(Buffer.from(bytes).toString("latin1"))?.[1];
}

function meaningOf(bytes: Uint8Array): string | undefined {
  try {
    const { id, bundlePath, fileSha256 }: SnapshotRecord = parseRecord(bytes);
    return JSON.stringify([id, bundlePath, fileSha256]);
  } catch (error) {
    // One of a newer program can be read, though not by this one.
    if (isKeepsakeError(error, "E_FORMAT_TOO_NEW")) return sha256Hex(bytes);
    if (isKeepsakeError(error)) return undefined;
    throw error;
  }
}

/** `<id>.tar.zst.age.sha256` lies beside the record `<id>.json`. */
const DIGEST_KEY = /^(.+)\.tar(?:\.[A-Za-z0-9_-]+)*\.sha256$/;

/** What the record beside a digest says that the digest is. */
async function confirmedBy(group: Group, key: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  const stem = DIGEST_KEY.exec(key)?.[1];
  if (stem === undefined) return undefined;
  const recordKey = stem + RECORD;
  const { copies } = await survey(group.parts, group.notes, recordKey, signal);
  const elected = await elect(group, recordKey, copies, signal);
  if (!elected?.isDecided) return undefined;
  try {
    const { bundlePath, fileSha256 } = parseRecord(elected.bytes);
    return `${bundlePath}${DIGEST}` === key ? fileSha256 : undefined;
  } catch (error) {
    if (isKeepsakeError(error)) return undefined;
    throw error;
  }
}
