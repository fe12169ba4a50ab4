import { KeepsakeError, type OpOptions } from "@keepsake/core";

/**
 * Waits for a call of the library, which can neither be broken off nor ends by itself when a server is silent.
 *
 * @throws the signal's reason; KeepsakeError `E_IO` (temporary) when time is up
 */
export async function withinTime<T>(
  call: Promise<T>,
  { sentence, limitMs, signal }: OpOptions & { readonly sentence: string; readonly limitMs: number },
): Promise<T> {
  let release = (): void => undefined;
  const end = new Promise<never>((_resolve, reject) => {
    const late = () => reject(tooLate(sentence, limitMs));
    const timer = setTimeout(late, limitMs);
    // The signal's reason is passed on as it is.
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    release = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
  });
  try {
    return await Promise.race([call, end]);
  } finally {
    release();
    // Its failure, once nobody waits for it any more, is not to end the program.
    call.catch(() => undefined);
  }
}

function tooLate(sentence: string, limitMs: number): KeepsakeError {
  return new KeepsakeError("E_IO", `${sentence} (no answer within ${String(limitMs / 1000)} s).`, {
    context: { timeout_ms: limitMs },
    retry: "temporary",
    hint: "Allow more time with timeout_secs, if the service is only slow.",
  });
}
