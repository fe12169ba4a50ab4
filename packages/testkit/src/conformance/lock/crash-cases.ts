import type { DiskFault } from "../../faults/disk-fault.js";
import { crashAt } from "../crash/crash-program.js";
import { check } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { LockSubject } from "./lock-subject.js";

const FAULTS: readonly DiskFault[] = [
  { kill: "caller" },
  { error: "EIO" },
  { error: "ENOSPC", thenOn: true },
  { short: true },
];

export const CRASH_CASES: readonly PortCase<LockSubject>[] = [
  {
    id: "lock.crash",
    says: "A process that is killed, or whose calls fail, amid `acquire`, `assertHeld` or the release keeps nobody out, and the next token is greater.",
    needs: {
      capability: "crash",
      async inverse({ crash }) {
        check(crash === undefined, "A subject without a program of its own has no `crash`.");
      },
    },
    async run({ locks, crash }) {
      check(crash !== undefined, "The subject has `crash`.");
      const { waitMs = 0 } = crash;
      const before = new Map<string, number>();
      await crashAt(crash, [
        {
          faults: FAULTS,
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
