import { type ByteRange, sha256Hex, type StoredBody, streamOf } from "@keepsake/core";
import type { Group } from "./group.js";
import { heal } from "./heal.js";
import { elect, type Election } from "./small-copies.js";
import type { Copy, Survey } from "./survey.js";

interface SmallReading {
  readonly group: Group;
  readonly key: string;
  readonly range: ByteRange | undefined;
  readonly signal: AbortSignal | undefined;
  readonly found: Survey;
  /** in the order in which they are read */
  readonly ordered: readonly Copy[];
}

/**
 * Reads a record or a digest as most of its copies have it, and tells which copies are others.
 *
 * @returns undefined when its copies cannot be compared
 */
export async function readSmall(reading: SmallReading): Promise<StoredBody | undefined> {
  const { group, key, range, signal, found, ordered } = reading;
  const elected = await elect(group, key, ordered, signal);
  if (elected === undefined) return undefined;
  for (const { part } of elected.wrong) {
    part.differs(`The store ${part.name} has another ${JSON.stringify(key)} than the others.`);
  }
  const isOfThisSize = ({ object }: Copy) => object.sizeBytes === elected.bytes.length;
  const copy = found.copies.find((one) => elected.right.includes(one) && isOfThisSize(one)) ?? elected.copy;
  return { object: copy.object, body: follow(reading, elected, range, signal) };
}

async function* follow(
  { group, key, found }: SmallReading,
  elected: Election,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { bytes, copy, wrong, isDecided } = elected;
  yield* streamOf(range === undefined ? bytes : bytes.subarray(range.start, range.start + range.length));
  if (range !== undefined || !isDecided) return;
  // Records change, and one that is read may just be changing: `sync` puts them right, under the agent's lock.
  const isRecord = key.endsWith(".json");
  if (isRecord && wrong.length > 0) return;
  const outdated = [...found.stale, ...wrong].map(({ part }) => part);
  const absent = isRecord ? [] : found.absent;
  if (absent.length + outdated.length === 0) return;
  await heal(group, { key, source: copy, sha256: sha256Hex(bytes), absent, wrong: outdated }, signal);
}
