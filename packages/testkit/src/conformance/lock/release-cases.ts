import { isKeepsakeError, type Lock } from "@keepsake/core";
import { check, failsWith, isAbsent, same } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { LockSubject } from "./lock-subject.js";
import { LONG_MS, NAME, release, turns } from "./lock-tools.js";

/** Resolves when the lock's signal has fired; the case's own limit bounds the waiting. */
async function fired({ signal }: Lock): Promise<void> {
  while (!signal.aborted) await turns(1);
}

export const RELEASE_CASES: readonly PortCase<LockSubject>[] = [
  {
    id: "lock.release.twice",
    says: "Releasing is idempotent, also several times at once.",
    async run({ locks }) {
      const lock = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      await Promise.all([release(lock), release(lock)]);
      await release(lock);
      await release(await locks.acquire(NAME, { timeoutMs: LONG_MS }));
    },
  },
  {
    id: "lock.release.own",
    says: "Releasing once more never takes the lock from the one who holds it by then.",
    async run({ locks }) {
      const first = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      await release(first);
      const second = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      await release(first);
      await second.assertHeld();
      await failsWith("E_LOCKED", locks.acquire(NAME, { timeoutMs: 0 }), "The lock that the second holds.");
      await release(second);
    },
  },
  {
    id: "lock.release.over",
    says: "After its release a lock does not say that it is held (E_LOCK_LOST), and its signal has not fired.",
    async run({ locks }) {
      const lock = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      await release(lock);
      await failsWith("E_LOCK_LOST", lock.assertHeld(), "A lock that was released.");
      await turns();
      same(lock.signal.aborted, false, "A release is no loss.");
    },
  },
  {
    id: "lock.lost.signal",
    says: "When the lock is lost its signal fires, with E_LOCK_LOST as reason.",
    needs: {
      capability: "lose",
      async inverse({ locks }) {
        const lock = await locks.acquire(NAME, { timeoutMs: LONG_MS });
        await turns();
        same(lock.signal.aborted, false, "A lock that cannot be lost was.");
        await release(lock);
      },
    },
    async run({ locks, lose }) {
      const lock = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      await lose?.(NAME);
      await fired(lock);
      await release(lock);
      check(isKeepsakeError(lock.signal.reason, "E_LOCK_LOST"), "The reason is not E_LOCK_LOST.");
    },
  },
  {
    id: "lock.lost.asked",
    says: "A lost lock says so when it is asked (E_LOCK_LOST).",
    needs: {
      capability: "lose",
      async inverse({ locks }) {
        const lock = await locks.acquire(NAME, { timeoutMs: LONG_MS });
        await lock.assertHeld();
        await release(lock);
      },
    },
    async run({ locks, lose }) {
      const lock = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      await lose?.(NAME);
      const asked = lock.assertHeld();
      await failsWith("E_LOCK_LOST", asked, "A lock that was lost.");
      await release(lock);
    },
  },
  {
    id: "lock.lost.next",
    says: "Another may take a lost lock, under a larger token; who lost it cannot release it any more.",
    needs: {
      capability: "lose",
      async inverse({ locks }) {
        const lock = await locks.acquire(NAME, { timeoutMs: LONG_MS });
        await failsWith("E_LOCKED", locks.acquire(NAME, { timeoutMs: 0 }), "A lock that cannot be lost.");
        await release(lock);
      },
    },
    async run({ locks, lose }) {
      // With acquisitions before, so that a counter that begins anew is seen.
      for (let round = 0; round < 3; round++) await release(await locks.acquire(NAME, { timeoutMs: LONG_MS }));
      const lost = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      await lose?.(NAME);
      const next = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      check(next.fencingToken > lost.fencingToken, "The token did not grow.");
      await release(lost);
      await next.assertHeld();
      await release(next);
    },
  },
  {
    id: "lock.holder",
    says: "`holder` tells that somebody holds the lock while it is so, and nothing before and afterwards.",
    needs: {
      capability: "holder",
      async inverse({ locks }) {
        isAbsent(locks, "holder", "Locks that do not tell their holder have no such member.");
      },
    },
    async run({ locks }) {
      same(await locks.holder?.(NAME), undefined, "The holder of a lock that never was.");
      const lock = await locks.acquire(NAME, { timeoutMs: LONG_MS });
      same((await locks.holder?.(NAME))?.alive, true, "The holder of a held lock.");
      await release(lock);
      same(await locks.holder?.(NAME), undefined, "The holder of a lock that was released.");
    },
  },
];
