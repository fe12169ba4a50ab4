import { bindSuite } from "../bind-suite.js";
import type { ConformanceCase } from "../conformance-case.js";
import { check, same } from "../expectations.js";
import type { PortCase, PortSuite } from "../port-case.js";
import { CRASH_CASES } from "./crash-cases.js";
import { EXCLUSION_CASES } from "./exclusion-cases.js";
import type { LockFactory, LockSubject } from "./lock-subject.js";
import { NAME, release } from "./lock-tools.js";
import { RELEASE_CASES } from "./release-cases.js";
import { WAITING_CASES } from "./waiting-cases.js";

const SUBJECT: PortCase<LockSubject> = {
  id: "lock.subject",
  says: "The subject gives a free lock, with its name, a token and a signal; it says whether there is another manager and how to lose a lock.",
  async run({ locks, other, lose }) {
    const given: readonly unknown[] = [other, lose];
    check(!given.includes(undefined), "`other` and `lose` are given, or null.");
    const lock = await locks.acquire(NAME, { timeoutMs: 0 });
    const shape = [lock.name, typeof lock.fencingToken, lock.signal instanceof AbortSignal];
    same(shape, [NAME, "number", true], "A lock has a name, a fencing token and a signal.");
    await release(lock);
  },
};

/** All promises of a {@link LockManager}. */
export const LOCK_SUITE: PortSuite<LockSubject> = {
  port: "lock",
  cases: [SUBJECT, ...EXCLUSION_CASES, ...WAITING_CASES, ...RELEASE_CASES, ...CRASH_CASES],
  capabilities: ({ locks, other, lose, crash }) => ({
    shared: other !== null,
    lose: lose !== null,
    crash: crash !== undefined,
    holder: locks.holder !== undefined,
  }),
};

/** The cases for a lock manager. */
export function lockConformance(factory: LockFactory): readonly ConformanceCase[] {
  return bindSuite(LOCK_SUITE, factory);
}
