import { createGunzip, createInflate } from "node:zlib";
import type { ByteStream, OpOptions, StagedArtifact } from "@keepsake/core";
import { unfold, wrapperOf } from "./folded.js";
import { HelperProcess } from "./process/helper-process.js";
import type { CellPlace, FoldedCells, IndexWords, WordPlace } from "./process/redact/protocol.js";

/** What is told of one cell at most, in bytes: a small one may unfold to anything. */
const MAX_TOLD_BYTES = 1024 * 1024 * 1024;

/** The words of a database's full-text indexes, a line each; then what its cells with compressed bytes hold. */
export async function* discloseSqlite({ file }: StagedArtifact, op: OpOptions = {}): ByteStream {
  await using helper = new HelperProcess();
  let after: WordPlace | null = null;
  do {
    const batch: IndexWords = await helper.call("indexWords", { file, after }, op);
    if (batch.words !== "") yield Buffer.from(`${batch.words}\n`);
    after = batch.next ?? null;
  } while (after !== null);
  let place: CellPlace | null = null;
  do {
    const batch: FoldedCells = await helper.call("foldedCells", { file, after: place }, op);
    for (const cell of batch.cells) {
      yield* unfolded(cell);
      // What one cell ends with, the next one does not go on with.
      yield Uint8Array.of(0xff);
    }
    place = batch.next ?? null;
  } while (place !== null);
}

async function* unfolded(cell: Uint8Array): ByteStream {
  const whole = unfold(cell);
  if (whole !== "too_large") {
    if (whole !== undefined) yield whole.content;
    return;
  }
  const inflating = wrapperOf(cell) === "gzip" ? createGunzip() : createInflate();
  inflating.end(cell);
  let size = 0;
  try {
    for await (const chunk of inflating as AsyncIterable<Uint8Array>) {
      yield chunk;
      size += chunk.length;
      if (size > MAX_TOLD_BYTES) return;
    }
  } catch {
    // It breaks off: what there was of it has been told.
  } finally {
    inflating.destroy();
  }
}
