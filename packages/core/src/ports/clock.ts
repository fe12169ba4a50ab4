/** Milliseconds since 1970, as a part that tests can replace. */
export interface Clock {
  now(): number;
}

export const SYSTEM_CLOCK: Clock = { now: () => Date.now() };
