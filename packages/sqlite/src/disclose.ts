import type { ByteStream, OpOptions, StagedArtifact } from "@keepsake/core";
import { HelperProcess } from "./process/helper-process.js";
import type { IndexWords, WordPlace } from "./process/redact/protocol.js";

/** The words of a database's full-text indexes, a line each. */
export async function* discloseSqlite({ file }: StagedArtifact, op: OpOptions = {}): ByteStream {
  await using helper = new HelperProcess();
  let after: WordPlace | null = null;
  do {
    const batch: IndexWords = await helper.call("indexWords", { file, after }, op);
    if (batch.words !== "") yield Buffer.from(`${batch.words}\n`);
    after = batch.next ?? null;
  } while (after !== null);
}
