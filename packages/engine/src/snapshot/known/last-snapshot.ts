import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type AgentRef, isJsonObject, type JsonObject } from "@keepsake/core";
import { z } from "zod";

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

/** It is a cache, in a private place: without it everything is read. */
export class LastSnapshotFile {
  readonly #path: string;

  constructor(stateRoot: string, { tenant, agent }: AgentRef) {
    this.#path = join(stateRoot, "last-snapshots", tenant, `${agent}.json`);
  }

  /** @returns undefined where there is none that can be used */
  async read(): Promise<LastSnapshot | undefined> {
    try {
      return schema.safeParse(JSON.parse(await readFile(this.#path, "utf8"))).data;
    } catch {
      return undefined;
    }
  }

  /** The last writer wins; one that a crash cut off is no JSON. @throws the system error */
  async write(last: LastSnapshot): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const partial = `${this.#path}.partial`;
    await writeFile(partial, JSON.stringify(last), { mode: 0o600 });
    await rename(partial, this.#path);
  }

  /** Never fails: what cannot be removed is not believed either. */
  async forget(): Promise<void> {
    await rm(this.#path, { force: true }).catch(() => undefined);
  }
}
