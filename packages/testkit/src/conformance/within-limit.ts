/**
 * The outcome of `work`, or an error after `limitMs`. The work itself goes on: nothing can stop a promise.
 *
 * @param sentence what did not happen, without a full stop
 */
export async function withinLimit<T>(work: Promise<T>, limitMs: number, sentence: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${sentence()}.`)), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
