import type { LockManager } from "@keepsake/core";
import { check, failsWith, same } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { LockSubject } from "./lock-subject.js";
import { LONG_MS, NAME, release, turns, withClockAt } from "./lock-tools.js";

const DAY_MS = 86_400_000;

/** Sixteen take the lock one after the other; returns the tokens in the order of the holders. */
async function contend(managers: readonly LockManager[]): Promise<number[]> {
  const tokens: number[] = [];
  let inside = 0;
  const work = async (_none: unknown, index: number): Promise<void> => {
    const manager = managers[index % managers.length];
    if (manager === undefined) return;
    const lock = await manager.acquire(NAME, { timeoutMs: LONG_MS });
    inside++;
    same(inside, 1, `${inside} hold one lock at the same time.`);
    tokens.push(lock.fencingToken);
    await turns(2);
    inside--;
    await release(lock);
  };
  await Promise.all(Array.from({ length: 16 }, work));
  return tokens;
}

export const EXCLUSION_CASES: readonly PortCase<LockSubject>[] = [
  {
    id: "lock.exclusive",
    says: "Of 16 who ask for one lock at the same time one holds it at any time, and each gets it in the end.",
    async run({ locks }) {
      same((await contend([locks])).length, 16, "How many got the lock.");
    },
  },
  {
    id: "lock.exclusive.shared",
    says: "The same holds among several managers over one place.",
    needs: {
      capability: "shared",
      async inverse({ locks, other }) {
        same(other, null, "A manager without a place to share has no other.");
        same((await contend([locks])).length, 16, "How many got the lock.");
      },
    },
    async run({ locks, other }) {
      check(other !== null, "There is another manager.");
      same((await contend([locks, other])).length, 16, "How many got the lock.");
    },
  },
  {
    id: "lock.names",
    says: "Locks of different names are independent, also when one name begins with the other.",
    async run({ locks }) {
      const names = ["a", "a/b", "a/b/c", "ab", "a-b", "A/b"];
      const held = await Promise.all(names.map((name) => locks.acquire(name, { timeoutMs: LONG_MS })));
      same(
        held.map(({ name }) => name),
        names,
        "The names of the locks.",
      );
      for (const lock of held) await lock.assertHeld();
      for (const lock of held) await release(lock);
    },
  },
  {
    id: "lock.token.grows",
    says: "Each acquisition of a name has a larger fencing token than all before it.",
    async run({ locks, other }) {
      const tokens: number[] = [];
      for (let round = 0; round < 6; round++) {
        const lock = await ((round % 2 === 1 ? other : null) ?? locks).acquire(NAME, { timeoutMs: LONG_MS });
        tokens.push(lock.fencingToken);
        await release(lock);
      }
      check(tokens.every(Number.isSafeInteger), "A token is a whole number.");
      const grows = tokens.every((token, index) => index === 0 || token > (tokens[index - 1] ?? Infinity));
      check(grows, `The tokens of one name are ${tokens.join(", ")}.`);
    },
  },
  {
    id: "lock.held",
    says: "A held lock says so when it is asked, and its signal is quiet.",
    async run({ locks }) {
      const lock = await locks.acquire(NAME, { timeoutMs: 0 });
      for (let round = 0; round < 3; round++) await lock.assertHeld();
      await turns();
      same(lock.signal.aborted, false, "The signal of a held lock has fired.");
      await release(lock);
    },
  },
  {
    id: "lock.clock",
    says: "When the clock jumps by a day, forward or back, there are never two who may believe that they hold the lock.",
    async run({ locks, other }) {
      for (const offsetMs of [DAY_MS, -DAY_MS]) {
        const first = await locks.acquire(NAME, { timeoutMs: LONG_MS });
        await withClockAt(offsetMs, async () => {
          const second = await (other ?? locks).acquire(NAME, { timeoutMs: 20 }).catch(() => undefined);
          if (second === undefined) return;
          await failsWith("E_LOCK_LOST", first.assertHeld(), "The first holder, whose lock another one has.");
          await release(second);
        });
        await release(first);
        await release(await locks.acquire(NAME, { timeoutMs: LONG_MS }));
      }
    },
  },
];
