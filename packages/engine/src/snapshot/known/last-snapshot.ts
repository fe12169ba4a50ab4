import { join } from "node:path";
import { type AgentRef, isJsonObject, type JsonObject } from "@keepsake/core";
import { z } from "zod";
import { CacheFile, type Sealing } from "./cache-file.js";

const count = z.int().nonnegative();
/**
 * A file that is recognised by its mark: its path within its source, mark, size in bytes, SHA-256, and the number of the
 * segment in which it lies with others (-1 of one that lies by itself), then its facts. There are many: names for each would
 * double what is read and written.
 */
export type RememberedFile = readonly [
  path: string,
  mark: string,
  sizeBytes: number,
  sha256: string,
  segment: number,
  facts?: JsonObject,
];
const segmentSchema = z.strictObject({
  key: z.string(),
  start: count,
  frames: z.array(
    z.strictObject({ contentBytes: count, encodedBytes: count, crc32: count, sha256: z.string().optional() }),
  ),
});
const schema = z.strictObject({
  version: z.literal(3),
  id: z.string(),
  memory: z.string(),
  /** the store's id, and where in it the bundle lies */
  store: z.string(),
  bundlePath: z.string(),
  bundleSizeBytes: count,
  /** the ids of all codecs, in their order */
  codec: z.string(),
  /** a digest of all that was captured */
  captured: z.string(),
  /** how many snapshots have taken something over since one that did not, this one included */
  unread: count,
  files: z.record(z.string(), z.custom<readonly RememberedFile[]>(isFileList)),
  segments: z.array(segmentSchema),
});

/** What is remembered of an agent's last snapshot, so that the next one need not read and encode again what has not changed. */
export type LastSnapshot = z.output<typeof schema>;

/** Looked at by hand: a schema takes longer for some ten thousand of them than all else that is done with them. */
function isFileList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isRememberedFile);
}

function isRememberedFile(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [path, mark, sizeBytes, sha256, segment, facts] = value as readonly unknown[];
  return (
    [path, mark, sha256].every((text) => typeof text === "string") &&
    [sizeBytes, segment].every((number) => Number.isSafeInteger(number)) &&
    (facts === undefined || isJsonObject(facts))
  );
}

/** Where it is kept: in a file of its own where it is sealed. */
export class LastSnapshotFile extends CacheFile<LastSnapshot> {
  constructor(stateRoot: string, { tenant, agent }: AgentRef, sealing?: Sealing) {
    super(join(stateRoot, "last-snapshots", tenant, `${agent}.json${sealing ? ".sealed" : ""}`), schema, sealing);
  }
}
