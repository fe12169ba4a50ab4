import type { ByteStream } from "@keepsake/core";

export const DEFAULT_PART_BYTES = 8 * 1024 * 1024;
/** The least that S3 and those like it take for a part that is not the last. */
export const MIN_PART_BYTES = 5 * 1024 * 1024;
/** Services take 10,000 parts at most. */
const PARTS_PER_STEP = 2_000;

/**
 * A body in parts of at least `firstBytes`, the last excepted. After every 2,000 they are four times as large, so that an
 * object of 5 TiB stays below 10,000 parts. An empty body is no part.
 */
export async function* partsOf(body: ByteStream, firstBytes: number): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let count = 0;
  for await (const chunk of body) {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes < firstBytes * 4 ** Math.floor(count / PARTS_PER_STEP)) continue;
    const part = Buffer.concat(held, heldBytes);
    held = [];
    heldBytes = 0;
    count += 1;
    yield part;
  }
  if (heldBytes > 0) yield Buffer.concat(held, heldBytes);
}
