import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { orAborted } from "../src/bytes/or-aborted.js";

const never = new Promise<never>(() => undefined);

it("gives what the step comes to, with and without a signal, and leaves no listener behind", async () => {
  const { signal } = new AbortController();
  const failure = new Error("broken");
  expect(await orAborted(Promise.resolve(7), undefined)).toBe(7);
  expect(await orAborted(Promise.resolve(7), signal)).toBe(7);
  await expect(orAborted(Promise.reject(failure), signal)).rejects.toBe(failure);
  await new Promise(setImmediate);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

it("rejects with the very reason, whether it fired before or fires while the step is silent", async () => {
  const reason = { no: "error" };
  await expect(orAborted(never, AbortSignal.abort(reason))).rejects.toBe(reason);
  const controller = new AbortController();
  const waiting = orAborted(never, controller.signal);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

it("leaves a step alone that fails when nobody waits for it any more", async () => {
  let fail: ((error: Error) => void) | undefined;
  const step = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  await expect(orAborted(step, AbortSignal.abort("enough"))).rejects.toBe("enough");
  // An unhandled rejection would make this run fail.
  fail?.(new Error("late"));
  await new Promise(setImmediate);
});
