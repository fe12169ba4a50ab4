import { join } from "node:path";
import { type AgentRef, isJsonObject, type JsonObject } from "@keepsake/core";
import { z } from "zod";
import { CacheFile } from "./cache-file.js";

const count = z.int().nonnegative();
const fileSchema = z.strictObject({
  source: z.string(),
  path: z.string(),
  mark: z.string(),
  sizeBytes: count,
  sha256: z.string(),
  facts: z.custom<JsonObject>(isJsonObject).optional(),
});
const segmentSchema = z.strictObject({
  key: z.string(),
  start: count,
  frames: z.array(
    z.strictObject({ contentBytes: count, encodedBytes: count, crc32: count, sha256: z.string().optional() }),
  ),
});
const schema = z.strictObject({
  version: z.literal(2),
  id: z.string(),
  memory: z.string(),
  /** the store's id, and where in it the bundle lies */
  store: z.string(),
  bundlePath: z.string(),
  bundleSizeBytes: count,
  codec: z.string(),
  /** a digest of all that was captured */
  captured: z.string(),
  /** how many snapshots have taken something over since one that did not, this one included */
  unread: count,
  files: z.array(fileSchema),
  segments: z.array(segmentSchema),
});

/** What is remembered of an agent's last snapshot, so that the next one need not read and encode again what has not changed. */
export type LastSnapshot = z.output<typeof schema>;
/** A file that is recognised by its mark. */
export type RememberedFile = z.output<typeof fileSchema>;

/** Where it is kept. */
export class LastSnapshotFile extends CacheFile<LastSnapshot> {
  constructor(stateRoot: string, { tenant, agent }: AgentRef) {
    super(join(stateRoot, "last-snapshots", tenant, `${agent}.json`), schema);
  }
}
