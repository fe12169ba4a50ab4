/** What {@link withTimeLimit} rejects with. */
export class TimeLimitError extends Error {
  override readonly name = "TimeLimitError";
}

/**
 * The promise's outcome, or a {@link TimeLimitError} after `timeoutMs`.
 *
 * @param late called with the value when it arrives after the limit
 */
export async function withTimeLimit<T>(
  work: Promise<T>,
  timeoutMs: number,
  late: (value: T) => void = () => undefined,
): Promise<T> {
  let expired = false;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      expired = true;
      reject(new TimeLimitError(`Not done after ${timeoutMs} ms.`));
    }, timeoutMs);
  });
  work.then(
    (value) => {
      if (expired) late(value);
    },
    () => undefined,
  );
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
