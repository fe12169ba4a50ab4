import { join } from "node:path";
import type { AgentRef } from "@keepsake/core";
import { z } from "zod";
import { CacheFile } from "./cache-file.js";

const schema = z.strictObject({
  version: z.literal(1),
  /** the snapshot that the memory was as */
  id: z.string(),
  /** a digest of what else decides what a snapshot holds: configuration, codecs, state values */
  order: z.string(),
  places: z.strictObject({
    roots: z.array(z.strictObject({ path: z.string(), scope: z.enum(["path", "tree"]) })).readonly(),
    exceptions: z.array(z.strictObject({ sha256: z.string(), counts: z.enum(["written", "nothing"]) })).readonly(),
  }),
  /** absent: it was written while it was captured */
  trace: z.string().optional(),
  /** how many snapshots were not read in full since one that was, this one included */
  unread: z.int().nonnegative(),
});

/** How an agent's memory was at its last snapshot, as far as that can be told without reading it. */
export type LastTrace = z.output<typeof schema>;

/** Where it is kept. */
export class LastTraceFile extends CacheFile<LastTrace> {
  constructor(stateRoot: string, { tenant, agent }: AgentRef) {
    super(join(stateRoot, "last-traces", tenant, `${agent}.json`), schema);
  }
}
