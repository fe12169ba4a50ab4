import type { BundleStore } from "@keepsake/core";
import { Slots } from "./slots.js";
import { stepwise } from "./steps.js";
import { wrapStore } from "./wrap-store.js";

/**
 * Has the store work on at most `operations` things at a time; the others wait for their turn.
 *
 * What waits for its caller (a `put` for the next chunk of its body, a body or a list for its reader) has no turn meanwhile:
 * otherwise a `put` whose body is read from the same store would wait for itself.
 */
export function withConcurrency(store: BundleStore, { operations }: { readonly operations: number }): BundleStore {
  if (!Number.isInteger(operations) || operations < 1) throw new TypeError("There is at least 1 operation at a time.");
  const slots = new Slots(operations);

  return wrapStore(store, {
    put: (put) => async (key, body, given) => {
      const signal = given?.signal;
      let hasEnded = false;
      // Turns are given back and taken by the body's steps: whoever holds the one of this call last gives it back.
      let hasTurn = false;
      const takeTurn = async (): Promise<void> => {
        await slots.take(signal);
        // A step that comes to its end after the call did has no use for it.
        if (hasEnded) slots.give();
        else hasTurn = true;
      };
      const giveTurn = (): void => {
        if (hasTurn) slots.give();
        hasTurn = false;
      };
      const awaited = stepwise(body, async (next) => {
        giveTurn();
        const step = await next();
        await takeTurn();
        return step;
      });
      await takeTurn();
      try {
        return await put(key, awaited, given);
      } finally {
        hasEnded = true;
        giveTurn();
      }
    },
    get: (get) => async (key, given) => {
      const { object, body } = await slots.during(given?.signal, () => get(key, given));
      return { object, body: stepwise(body, (next) => slots.during(given?.signal, next)) };
    },
    head: (head) => (key, given) => slots.during(given?.signal, () => head(key, given)),
    list: (list) => (prefix, given) => stepwise(list(prefix, given), (next) => slots.during(given?.signal, next)),
    delete: (remove) => (key, given) => slots.during(given?.signal, () => remove(key, given)),
    replace: (replace) => (key, body, given) => slots.during(given?.signal, () => replace(key, body, given)),
    sweep: (sweep) => (given) => slots.during(given?.signal, () => sweep(given)),
    inspect: (inspect) => (given) => slots.during(given?.signal, () => inspect(given)),
  });
}
