import { isAbortError, type Lock, type LockManager } from "@keepsake/core";
import { describe, expect, it } from "vitest";

/** Locks of one kind, none of them held; gone when they are disposed. */
export interface LockCase extends AsyncDisposable {
  readonly locks: LockManager;
}

const HOUR_MS = 3_600_000;
const release = (lock: Lock) => lock[Symbol.asyncDispose]();

/** What holds for all locks, wherever they are kept. */
export function lockCases(name: string, open: () => Promise<LockCase>): void {
  describe(`the locks ${name}`, () => {
    it("are exclusive within a process, hand over, and count", async () => {
      await using box = await open();
      const order: number[] = [];
      let inside = 0;
      const work = async () => {
        await using lock = await box.locks.acquire("tenants/default/ana", { timeoutMs: HOUR_MS });
        expect(++inside).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 1));
        await lock.assertHeld();
        order.push(lock.fencingToken);
        inside--;
      };
      await Promise.all(Array.from({ length: 8 }, work));
      expect(order).toEqual(Array.from({ length: 8 }, (_, index) => index + 1));
    });

    it("keep names apart, and take no name that leads elsewhere", async () => {
      await using box = await open();
      const held: Lock[] = [];
      for (const one of ["a", "b", "a/b", "a.json/b"]) held.push(await box.locks.acquire(one, { timeoutMs: 0 }));
      await expect(box.locks.acquire("../a", { timeoutMs: 0 })).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
      for (const lock of held) await release(lock);
    });

    it("say who holds one", async () => {
      await using box = await open();
      expect(await box.locks.holder?.("a")).toBeUndefined();
      const lock = await box.locks.acquire("a", { timeoutMs: 0 });
      expect(await box.locks.holder?.("a")).toMatchObject({ pid: process.pid, alive: true });
      await expect(box.locks.acquire("a", { timeoutMs: 30 })).rejects.toMatchObject({
        code: "E_LOCKED",
        context: { lock: "a", timeout_ms: 30, holder_pid: process.pid },
      });
      await release(lock);
      expect(await box.locks.holder?.("a")).toBeUndefined();
    });

    it("stop being waited for when aborted, with the signal's reason", async () => {
      await using box = await open();
      const { locks } = box;
      const held = await locks.acquire("a", { timeoutMs: 0 });
      const controller = new AbortController();
      const waiting = locks.acquire("a", { timeoutMs: HOUR_MS, signal: controller.signal });
      controller.abort();
      await expect(waiting).rejects.toSatisfy(isAbortError);
      await expect(locks.acquire("b", { timeoutMs: 0, signal: controller.signal })).rejects.toSatisfy(isAbortError);
      await release(held);
      await using next = await locks.acquire("a", { timeoutMs: 0 });
      expect(next.fencingToken).toBe(2);
    });

    it("are released once, by their own holder alone", async () => {
      await using box = await open();
      const { locks } = box;
      const first = await locks.acquire("a", { timeoutMs: 0 });
      await release(first);
      await using second = await locks.acquire("a", { timeoutMs: 0 });
      await release(first);
      await second.assertHeld();
      await expect(first.assertHeld()).rejects.toMatchObject({ code: "E_LOCK_LOST" });
      expect(first.signal.aborted).toBe(false);
      await expect(locks.acquire("a", { timeoutMs: 0 })).rejects.toMatchObject({ code: "E_LOCKED" });
    });
  });
}
