import type { Lock } from "@keepsake/core";

/** Longer than any case may take: a wait that ends does so because it was ended. */
export const LONG_MS = 3_600_000;
export const NAME = "tenants/default/ana";

export const release = (lock: Lock): PromiseLike<void> => lock[Symbol.asyncDispose]();

/** Lets everything else that is ready run, a few times over. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Runs `work` with the system's clock as if it stood `offsetMs` later. */
export async function withClockAt<T>(offsetMs: number, work: () => Promise<T>): Promise<T> {
  const { now } = Date;
  Date.now = () => now() + offsetMs;
  try {
    return await work();
  } finally {
    Date.now = now;
  }
}
