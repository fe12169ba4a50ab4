import type { ByteStream } from "@keepsake/core";

/** Takes one step of an iteration: what waits, counts or breaks off stands around `next`. */
export type Step = <T>(next: () => Promise<IteratorResult<T>>) => Promise<IteratorResult<T>>;

/**
 * An iteration each of whose steps goes through `step`. What comes from outside is closed at the end, also when it is left
 * early; an input that is in the middle of a step is closed when that step ends, and not waited for.
 */
export async function* stepwise<T>(input: AsyncIterable<T>, step: Step): AsyncGenerator<T> {
  const iterator = input[Symbol.asyncIterator]();
  let isStepping = false;
  let isEnded = false;
  const next = async (): Promise<IteratorResult<T>> => {
    isStepping = true;
    try {
      const result = await iterator.next();
      isEnded ||= result.done === true;
      return result;
    } catch (error) {
      isEnded = true;
      throw error;
    } finally {
      isStepping = false;
    }
  };
  try {
    for (;;) {
      const result = await step(next);
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    await closeInput(iterator, isStepping, isEnded);
  }
}

/** Closes an iterator; one in the middle of a step answers only after it, and waiting for that would be waiting for silence. */
export async function closeInput(
  iterator: AsyncIterator<unknown>,
  isStepping: boolean,
  isEnded: boolean,
): Promise<void> {
  if (isEnded) return;
  const closing = iterator.return?.();
  if (isStepping) closing?.catch(() => undefined);
  else await closing;
}

/** Passes bytes on and tells of each chunk how long it is. */
export async function* counted(input: ByteStream, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    count(chunk.length);
    yield chunk;
  }
}
