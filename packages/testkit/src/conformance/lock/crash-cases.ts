import { crashAt, NEEDS_CRASH } from "../crash/crash-program.js";
import { check } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { LockSubject } from "./lock-subject.js";

export const CRASH_CASES: readonly PortCase<LockSubject>[] = [
  {
    id: "lock.crash",
    says: "A process that is killed, or whose calls fail, amid `acquire`, `assertHeld` or the release keeps nobody out, and the next token is greater.",
    needs: NEEDS_CRASH,
    async run({ locks, crash }) {
      check(crash !== undefined, "The subject has `crash`.");
      const { waitMs = 0 } = crash;
      const before = new Map<string, number>();
      await crashAt(crash, [
        {
          async prepare(strike) {
            const key = `crash/${strike}`;
            await using first = await locks.acquire(key, { timeoutMs: 0 });
            before.set(key, first.fencingToken);
            return { do: "lock", key };
          },
          async judge({ key }, { run }) {
            await using lock = await locks.acquire(key, { timeoutMs: waitMs });
            await lock.assertHeld();
            const said = /^[0-9]+$/.test(run.said) ? Number(run.said) : (before.get(key) ?? 0);
            check(lock.fencingToken > said, "The token of the next holder is not greater.");
          },
        },
      ]);
    },
  },
];
