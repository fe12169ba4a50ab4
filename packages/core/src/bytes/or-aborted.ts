/**
 * What `step` comes to, or the signal's reason as soon as that fires. What was waited for then goes on alone: who calls must be
 * able to leave it, and a failure of it that nobody waits for any more is no unhandled one.
 */
export function orAborted<T>(step: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return step;
  return new Promise<T>((resolve, reject) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason is passed on, whatever it is
    const stop = (): void => reject(signal.reason);
    // The step itself may have fired it, before it could be listened to.
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    step.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
