import { KeepsakeError, type Lock, type LockManager } from "@keepsake/core";
import { describe } from "vitest";
import { lockConformance, type LockSubject, memoryLocks } from "../../src/index.js";
import { type Broken, expectBroken } from "./expect-broken.js";

/** Two views of one place in memory. */
function right(): LockSubject {
  const locks = memoryLocks();
  const other: LockManager = { ...locks };
  return { locks, other, lose: (name) => locks.lose(name) };
}

/** Right locks with some of their manager's members replaced, in both views. */
function broken(change: (locks: LockManager, lose: (name: string) => void) => Partial<LockManager>) {
  return (): LockSubject => {
    const locks = memoryLocks();
    const lose = (name: string): void => locks.lose(name);
    const changed = { ...locks, ...change(locks, lose) };
    return { locks: changed, other: changed, lose };
  };
}

/** Each lock that is given out, changed. */
function eachLock(change: (lock: Lock, locks: LockManager) => Partial<Lock>) {
  return broken((locks) => ({
    async acquire(name, options) {
      const lock = await locks.acquire(name, options);
      const own = { ...lock, [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose]() };
      return { ...own, ...change(lock, locks) };
    },
  }));
}

const LOCKS: readonly Broken<LockSubject>[] = [
  {
    wrong: "gives a lock to everybody who asks",
    make: broken(() => {
      let token = 0;
      return {
        acquire: async (name, options) => {
          const lock = await memoryLocks().acquire(name, options);
          return { ...lock, fencingToken: ++token, [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose]() };
        },
      };
    }),
    fails: [
      "lock.abort-waiting",
      "lock.clock",
      "lock.exclusive",
      "lock.exclusive.shared",
      "lock.holder",
      "lock.lost.asked",
      "lock.release.own",
      "lock.timeout",
      "lock.timeout.context",
      "lock.waits",
    ],
    hangs: ["lock.lost.signal"],
  },
  {
    wrong: "does not share its place with another manager",
    make: () => ({ ...right(), other: memoryLocks() }),
    fails: ["lock.clock", "lock.exclusive.shared", "lock.timeout", "lock.token.grows", "lock.waits"],
  },
  {
    wrong: "has one token for all",
    make: eachLock(() => ({ fencingToken: 1 })),
    fails: ["lock.lost.next", "lock.token.grows"],
  },
  {
    wrong: "begins to count anew",
    make: eachLock(({ fencingToken }) => ({ fencingToken: fencingToken % 3 })),
    fails: ["lock.token.grows"],
  },
  {
    wrong: "releases what somebody else holds",
    make: broken((locks, lose) => ({
      async acquire(name, options) {
        const lock = await locks.acquire(name, options);
        return {
          ...lock,
          async [Symbol.asyncDispose]() {
            await lock[Symbol.asyncDispose]();
            lose(name);
          },
        };
      },
    })),
    fails: ["lock.lost.next", "lock.release.own"],
  },
  {
    wrong: "cannot be released twice",
    make: eachLock((lock) => {
      let isReleased = false;
      return {
        async [Symbol.asyncDispose]() {
          if (isReleased) throw new Error("released twice");
          isReleased = true;
          await lock[Symbol.asyncDispose]();
        },
      };
    }),
    fails: ["lock.release.own", "lock.release.twice"],
  },
  {
    wrong: "waits for ever",
    make: broken((locks) => ({
      acquire: (name, { signal }) => locks.acquire(name, { timeoutMs: 3_600_000, signal }),
    })),
    fails: [],
    hangs: ["lock.clock", "lock.release.own", "lock.timeout", "lock.timeout.context"],
  },
  {
    wrong: "has another code when time is up",
    make: broken((locks) => ({
      acquire: (name, options) =>
        locks.acquire(name, options).catch((error: unknown) => {
          throw error instanceof KeepsakeError ? new KeepsakeError("E_IO", "busy", { cause: error }) : error;
        }),
    })),
    fails: ["lock.release.own", "lock.timeout"],
  },
  {
    wrong: "does not say which lock is held",
    make: broken((locks) => ({
      acquire: (name, options) =>
        locks.acquire(name, options).catch((error: unknown) => {
          throw error instanceof KeepsakeError ? new KeepsakeError("E_LOCKED", "held") : error;
        }),
    })),
    fails: ["lock.timeout.context"],
  },
  {
    wrong: "does not look at the signal while it waits",
    make: broken((locks) => ({
      acquire: async (name, { timeoutMs, signal }) => {
        signal?.throwIfAborted();
        return locks.acquire(name, { timeoutMs });
      },
    })),
    fails: [],
    hangs: ["lock.abort-waiting"],
  },
  {
    wrong: "takes the lock although the signal has fired",
    make: broken((locks) => ({
      acquire: (name, { timeoutMs, signal }) =>
        locks.acquire(name, signal?.aborted === true ? { timeoutMs } : { timeoutMs, signal }),
    })),
    fails: ["lock.abort-before"],
  },
  {
    wrong: "says nothing of a loss",
    make: eachLock(() => ({ signal: new AbortController().signal })),
    fails: [],
    hangs: ["lock.lost.signal"],
  },
  {
    wrong: "always says that it is held",
    make: eachLock(() => ({ assertHeld: async () => undefined })),
    fails: ["lock.lost.asked", "lock.release.over"],
  },
  {
    wrong: "takes a release for a loss",
    make: eachLock((lock) => {
      const released = new AbortController();
      return {
        signal: AbortSignal.any([lock.signal, released.signal]),
        async [Symbol.asyncDispose]() {
          await lock[Symbol.asyncDispose]();
          released.abort();
        },
      };
    }),
    fails: ["lock.release.over"],
  },
  {
    wrong: "locks all names at once",
    make: broken((locks) => ({
      acquire: async (name, options) => {
        const lock = await locks.acquire("tenants/default/ana", options);
        return { ...lock, name, [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose]() };
      },
    })),
    fails: [],
    hangs: ["lock.names"],
  },
  {
    wrong: "still names a holder that is gone",
    make: broken((locks) => {
      let last: Awaited<ReturnType<NonNullable<LockManager["holder"]>>>;
      return { holder: async (name) => (last = (await locks.holder?.(name)) ?? last) };
    }),
    fails: ["lock.holder"],
  },
  {
    wrong: "takes a lock over when the clock jumps, and tells nobody",
    make: broken((locks, lose) => {
      const until = new Map<string, number>();
      return {
        async acquire(name, options) {
          if (Date.now() > (until.get(name) ?? Number.POSITIVE_INFINITY)) lose(name);
          const lock = await locks.acquire(name, options);
          until.set(name, Date.now() + 60_000);
          return {
            ...lock,
            assertHeld: async () => undefined,
            [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
          };
        },
      };
    }),
    fails: ["lock.clock", "lock.lost.asked", "lock.release.over"],
  },
];

describe("the lock suite", () => {
  expectBroken(lockConformance, right, LOCKS);
});
