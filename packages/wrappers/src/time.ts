import { orAborted } from "@keepsake/core";

/** The clock that delays and limits go by; tests put one of their own in its place. */
export interface Time {
  /** milliseconds since some moment; never goes back */
  now(): number;
  /** @throws the signal's reason as soon as it fires; holds nothing afterwards */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The time of this machine. */
export const SYSTEM_TIME: Time = {
  now: () => performance.now(),
  async sleep(milliseconds, signal) {
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    try {
      await orAborted(over, signal);
    } finally {
      clearTimeout(timer);
    }
  },
};
