import { KeepsakeError, type Lock, type LockManager, type Logger, SILENT_LOGGER } from "@keepsake/core";
import { lockConformance, memoryLocks, runConformance } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import {
  chaosLocks,
  type LockEvent,
  withLockLogging,
  withLockMetrics,
  withLockRetry,
  withLockTimeout,
} from "../src/index.js";
import { broken, failureOf } from "./support/failure-of.js";
import { instantTime, ManualTime, turns } from "./support/manual-time.js";

const NAME = "tenants/default/ana";
const time = instantTime();
const wrappers: Readonly<Record<string, (locks: LockManager) => LockManager>> = {
  withLockRetry: (locks) => withLockRetry(locks),
  withLockTimeout: (locks) => withLockTimeout(locks, { callMs: 60_000 }),
  withLockLogging: (locks) => withLockLogging(locks, SILENT_LOGGER),
  withLockMetrics: (locks) => withLockMetrics(locks, { record: () => undefined }),
  "withLockRetry over chaosLocks": (locks) =>
    withLockRetry(chaosLocks(locks, { seed: 3, rates: { before: 0.2, after: 0.2, delay: 0.2 }, time }), {
      attempts: 20,
      time,
    }),
};

for (const [name, wrap] of Object.entries(wrappers)) {
  describe(name, () => {
    runConformance(
      lockConformance({
        create() {
          const inner = memoryLocks();
          return { locks: wrap(inner), other: wrap(inner), lose: inner.lose.bind(inner) };
        },
      }),
      { describe, it },
    );
  });
}

/** Locks that fail as planned, one after the other, and what was asked of them. */
function troubled(failures: readonly (Error | undefined)[]) {
  const inner = memoryLocks();
  const left = [...failures];
  const waits: number[] = [];
  let asked = 0;
  const fail = (): void => {
    const failure = left.shift();
    if (failure !== undefined) throw failure;
  };
  const locks: LockManager = {
    async acquire(name, options) {
      waits.push(options.timeoutMs);
      fail();
      const lock = await inner.acquire(name, options);
      return {
        ...lock,
        async assertHeld() {
          asked += 1;
          fail();
          await lock.assertHeld();
        },
      };
    },
  };
  return { inner, locks, waits, asked: () => asked };
}

describe("withLockRetry", () => {
  it("tries again what failed for a time, and waits no longer in all than it was to", async () => {
    const { locks, waits } = troubled([broken(), broken()]);
    const patient = withLockRetry(locks, { time: instantTime(), random: () => 0 });
    const lock = await patient.acquire(NAME, { timeoutMs: 150 });
    expect(waits).toEqual([150, 50, 0]);
    await lock[Symbol.asyncDispose]();
  });

  it("takes it for an answer that a lock is held, or was lost", async () => {
    const held = new KeepsakeError("E_LOCKED", "Held.");
    const lost = new KeepsakeError("E_LOCK_LOST", "Lost.");
    const { locks, waits, asked } = troubled([held, undefined, lost]);
    const patient = withLockRetry(locks, { time: instantTime() });
    expect(await failureOf(patient.acquire(NAME, { timeoutMs: 10 }))).toBe(held);
    const lock = await patient.acquire(NAME, { timeoutMs: 10 });
    expect(await failureOf(lock.assertHeld())).toBe(lost);
    expect([waits.length, asked()]).toEqual([2, 1]);
  });

  it("asks again whether a lock is held when it got no answer", async () => {
    const { locks, asked } = troubled([undefined, broken()]);
    const lock = await withLockRetry(locks, { time: instantTime() }).acquire(NAME, { timeoutMs: 10 });
    await lock.assertHeld();
    expect(asked()).toBe(2);
  });
});

describe("withLockTimeout", () => {
  it("gives locks up that are silent beyond the time to wait, and lets go of a lock that comes late", async () => {
    const clock = new ManualTime();
    const inner = memoryLocks();
    let answer: (() => void) | undefined;
    const slow: LockManager = {
      async acquire(name, options) {
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return inner.acquire(name, { timeoutMs: options.timeoutMs });
      },
    };
    const locks = withLockTimeout(slow, { callMs: 100, graceMs: 10, time: clock });
    const failure = failureOf(locks.acquire(NAME, { timeoutMs: 1_000 }));
    await clock.pass(1_099);
    await clock.pass(1);
    await clock.pass(10);
    expect(await failure).toMatchObject({ code: "E_IO", retry: "temporary", context: { lock: NAME, limit_ms: 1_100 } });
    expect(clock.asleep).toBe(0);
    answer?.();
    await turns();
    // It was got, for nobody; and it is free again.
    await (await inner.acquire(NAME, { timeoutMs: 0 }))[Symbol.asyncDispose]();
    expect((await inner.acquire(NAME, { timeoutMs: 0 })).fencingToken).toBe(3);
  });

  it("does not wait for ever to hear that a lock is held", async () => {
    const clock = new ManualTime();
    const inner = memoryLocks();
    const deaf: LockManager = {
      acquire: async (name, options) => ({
        ...(await inner.acquire(name, options)),
        assertHeld: () => new Promise(() => undefined),
      }),
    };
    const lock = await withLockTimeout(deaf, { callMs: 100, graceMs: 10, time: clock }).acquire(NAME, { timeoutMs: 5 });
    const failure = failureOf(lock.assertHeld());
    await clock.pass(100);
    await clock.pass(10);
    expect(await failure).toMatchObject({ code: "E_IO" });
  });
});

it("metrics and logs tell of each call, and how long a lock was held until it was released or lost", async () => {
  const clock = instantTime();
  const inner = memoryLocks();
  const events: LockEvent[] = [];
  const lines: unknown[] = [];
  const logger: Logger = {
    ...SILENT_LOGGER,
    debug: (_message, facts) => void lines.push(["debug", facts?.["operation"], facts?.["lock"]]),
    warn: (_message, facts) => void lines.push(["warn", facts?.["operation"], facts?.["error"]]),
  };
  const record = (event: LockEvent): never => {
    events.push(event);
    throw new Error("The sink is full.");
  };
  const locks = withLockLogging(withLockMetrics(inner, { record }, { time: clock }), logger, { time: clock });
  const first = await locks.acquire(NAME, { timeoutMs: 0 });
  await failureOf(locks.acquire(NAME, { timeoutMs: 0 }));
  await clock.sleep(250);
  await first.assertHeld();
  await first[Symbol.asyncDispose]();
  const second = await locks.acquire(NAME, { timeoutMs: 0 });
  await clock.sleep(40);
  inner.lose(NAME);
  await failureOf(second.assertHeld());
  await second[Symbol.asyncDispose]();
  await locks.holder?.(NAME);
  expect(events).toEqual(
    [
      ["acquire", "ok", 0],
      ["acquire", "E_LOCKED", 0],
      ["assert", "ok", 0],
      ["held", "ok", 250],
      ["release", "ok", 0],
      ["acquire", "ok", 0],
      ["held", "E_LOCK_LOST", 40],
      ["assert", "E_LOCK_LOST", 0],
      ["release", "ok", 0],
      ["holder", "ok", 0],
    ].map(([operation, outcome, milliseconds]) => ({ operation, outcome, milliseconds })),
  );
  const lost = `The lock ${JSON.stringify(NAME)} is not held any more.`;
  expect(lines.filter((line) => (line as string[])[0] === "warn")).toEqual([
    ["warn", "held", lost],
    ["warn", "assert", lost],
  ]);
  expect(lines).toContainEqual(["debug", "acquire", NAME]);
});

describe("chaosLocks", () => {
  async function fates(seed: number): Promise<readonly string[]> {
    const locks = chaosLocks(memoryLocks(), { seed, rates: { before: 0.2, after: 0.2, lose: 0.3 } });
    const told: string[] = [];
    for (let round = 0; round < 60; round++) {
      const outcome = await (async () => {
        const lock: Lock = await locks.acquire(NAME, { timeoutMs: 0 });
        try {
          await lock.assertHeld();
          return "held";
        } catch (error) {
          return `${(error as Error).message} ${String(lock.signal.reason === error)}`;
        } finally {
          // Also where the release fails before it began, the next round must have the lock.
          for (let isOver = false; !isOver; )
            isOver = await lock[Symbol.asyncDispose]().then(
              () => true,
              () => false,
            );
        }
      })().catch(String);
      told.push(outcome);
    }
    return told;
  }

  it("does all it is asked to, the same for the same seed, and leaves no lock behind", async () => {
    const first = await fates(1);
    expect(new Set(first)).toEqual(
      new Set([
        "held",
        "KeepsakeError: Chaos: acquire failed before it began.",
        "KeepsakeError: Chaos: acquire lost its answer.",
        "Chaos: assert failed before it began. false",
        "Chaos: assert lost its answer. false",
        `Chaos: the lock ${JSON.stringify(NAME)} was lost. true`,
      ]),
    );
    expect(await fates(1)).toEqual(first);
    expect(await fates(2)).not.toEqual(first);
  });
});
