import type { ByteStream } from "./byte-stream.js";
import { orAborted } from "./or-aborted.js";

/**
 * Passes a stream through and rejects with the signal's reason as soon as it fires, also while the input is silent. The
 * input is closed at the end; an input that is in the middle of a step when the signal fires is closed when that step ends.
 */
export async function* abortable(input: ByteStream, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  if (signal === undefined) {
    yield* input;
    return;
  }
  const iterator = input[Symbol.asyncIterator]();
  let ended = false;
  let isStepping = false;
  try {
    for (;;) {
      isStepping = true;
      const step = await orAborted(iterator.next(), signal);
      isStepping = false;
      if (step.done === true) {
        ended = true;
        return;
      }
      yield step.value;
      signal.throwIfAborted();
    }
  } finally {
    const closing = ended ? undefined : iterator.return?.();
    // An async generator answers `return` only after its pending step: waiting for it would make the abort wait too.
    if (isStepping) closing?.catch(() => undefined);
    else await closing;
  }
}
