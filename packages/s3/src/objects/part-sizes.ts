/** The least that S3 takes for a part that is not the last. */
export const MIN_PART_BYTES = 5 * 1024 * 1024;
export const DEFAULT_PART_BYTES = 8 * 1024 * 1024;
/** S3's own limit of parts. */
export const MAX_PARTS = 10_000;
const PARTS_PER_STEP = 2_000;

/**
 * How large a part is. A part is held in memory, so parts are small; but there are 10,000 at most, so they grow: after every
 * 2,000 parts four times as large. From 8 MiB this gives 16 GiB in parts of 8 MiB, 80 GiB by parts of 32, 336 GiB by parts
 * of 128 MiB, and 5 TiB, the largest object there is, within the 10,000.
 *
 * @param number from 1
 */
export function partBytesOf(number: number, firstBytes: number): number {
  return firstBytes * 4 ** Math.floor((number - 1) / PARTS_PER_STEP);
}
