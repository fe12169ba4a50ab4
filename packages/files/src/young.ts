/** How far apart two changes can lie that get the same time: a tick of the slowest kernel clock (10 ms), and some more. */
const TICK_MS = 12;
/** The same where times are whole seconds: an old ext4 with small inodes. */
const COARSE_MS = 1_100;

/**
 * How long a file that was changed just now must be waited for until another change would show in its times, in
 * milliseconds; 0 when it would show at once. Two writes of the same size within one tick look like one.
 *
 * @param nowMs when reading it began
 */
export function youngForMs({ ctimeNs }: { readonly ctimeNs: bigint }, nowMs: number): number {
  const age = nowMs - Number(ctimeNs / 1_000_000n);
  const tick = ctimeNs % 1_000_000_000n === 0n ? COARSE_MS : TICK_MS;
  // A time that lies in the future was given by another clock, and will not be given again soon.
  return age > -tick && age < tick ? tick - age : 0;
}
