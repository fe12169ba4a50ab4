import { isKeepsakeError } from "@keepsake/core";
import { check, failsAs, failsWith, failureOf, isPlainJson, same } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { LockSubject } from "./lock-subject.js";
import { LONG_MS, NAME, release, turns } from "./lock-tools.js";

export const WAITING_CASES: readonly PortCase<LockSubject>[] = [
  {
    id: "lock.timeout",
    says: "Who asks for a held lock gets E_LOCKED when its time is up, also when it has none; the holder keeps the lock.",
    async run({ locks, other }) {
      const lock = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      for (const timeoutMs of [0, 40]) {
        for (const manager of [locks, other ?? locks]) {
          await failsWith("E_LOCKED", manager.acquire(NAME, { timeoutMs }), `A held lock within ${timeoutMs} ms.`);
        }
      }
      await lock.assertHeld();
      await release(lock);
    },
  },
  {
    id: "lock.timeout.context",
    says: "E_LOCKED says in its context, in plain JSON, which lock it was and what is known of the holder.",
    async run({ locks }) {
      const lock = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      const error = await failureOf(locks.acquire(NAME, { timeoutMs: 0 }), "A held lock.");
      await release(lock);
      if (!isKeepsakeError(error, "E_LOCKED")) return; // the case above tells
      check(isPlainJson(error.context), "The context is plain JSON.");
      check(JSON.stringify(error.context).includes(NAME), "The context names the lock.");
      check(Object.keys(error.context).length > 1, "The context tells more than the name.");
    },
  },
  {
    id: "lock.free-at-once",
    says: "A free lock is got without waiting: a time of 0 is enough, also after it was released.",
    async run({ locks }) {
      for (let round = 0; round < 3; round++) await release(await locks.acquire(NAME, { timeoutMs: 0 }));
    },
  },
  {
    id: "lock.waits",
    says: "Who waits gets the lock when it is released, and not before.",
    async run({ locks, other }) {
      const first = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      let hasSecond = false;
      const second = (other ?? locks).acquire(NAME, { timeoutMs: LONG_MS }).then((lock) => {
        hasSecond = true;
        return lock;
      });
      await turns();
      same(hasSecond, false, "The lock was given to the second before the first released it.");
      await release(first);
      const lock = await second;
      await lock.assertHeld();
      await release(lock);
    },
  },
  {
    id: "lock.abort-before",
    says: "With a signal that has fired, `acquire` fails with its reason, and the lock stays free.",
    async run({ locks }) {
      const reason = new DOMException("stop", "AbortError");
      const acquired = locks.acquire(NAME, { timeoutMs: LONG_MS, signal: AbortSignal.abort(reason) });
      await failsAs(reason, acquired, "The signal had fired.");
      await release(await locks.acquire(NAME, { timeoutMs: LONG_MS }));
    },
  },
  {
    id: "lock.abort-waiting",
    says: "A signal that fires stops the waiting with its reason; the holder and the others who wait are not disturbed.",
    async run({ locks }) {
      const first = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      const reason = new DOMException("stop", "AbortError");
      const controller = new AbortController();
      const aborted = locks.acquire(NAME, { timeoutMs: LONG_MS, signal: controller.signal });
      const next = locks.acquire(NAME, { timeoutMs: LONG_MS });
      setTimeout(() => controller.abort(reason), 10);
      await failsAs(reason, aborted, "The signal fired.");
      await first.assertHeld();
      await release(first);
      const lock = await next;
      await lock.assertHeld();
      await release(lock);
    },
  },
];
