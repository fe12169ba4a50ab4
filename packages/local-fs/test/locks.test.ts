import { mkdir, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import type { Lock } from "@keepsake/core";
import { tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { fileLocks } from "../src/file-locks.js";
import { LockChain } from "../src/lock-chain.js";
import { markReleased } from "../src/lock-file.js";
import { fixture, Program, run } from "./processes.js";

const HOUR_MS = 3_600_000;
const release = (lock: Lock) => lock[Symbol.asyncDispose]();
const holder = (root: string, leaseMs = HOUR_MS, ...host: string[]) =>
  new Program([fixture("lock-holder.mjs"), root, String(leaseMs), ...host]);

async function expectToken(acquiring: Promise<Lock>, token: number): Promise<void> {
  await using lock = await acquiring;
  expect(lock.fencingToken).toBe(token);
}

describe("a lock that removes a stale file and makes its own", () => {
  it("is held by two, when both saw the same dead holder", async () => {
    await using dir = await tempDir();
    const file = dir.join("lock");
    await writeFile(file, "a dead holder");
    const naive = {
      look: () => readFile(file, "utf8"),
      take: () => rm(file).then(() => writeFile(file, "x", { flag: "wx" })),
    };
    await Promise.all([naive.look(), naive.look()]);
    await naive.take();
    await naive.take();
  });
});

describe("fileLocks", () => {
  it("is exclusive within a process, hands over, and counts", async () => {
    await using dir = await tempDir();
    const locks = fileLocks({ root: dir.join("locks") });
    const order: number[] = [];
    let inside = 0;
    const work = async () => {
      await using lock = await locks.acquire("tenants/default/ana", { timeoutMs: HOUR_MS });
      expect(++inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      await lock.assertHeld();
      order.push(lock.fencingToken);
      inside--;
    };
    await Promise.all(Array.from({ length: 20 }, work));
    expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it("locks names apart", async () => {
    await using dir = await tempDir();
    const locks = fileLocks({ root: dir.path });
    const held: Lock[] = [];
    for (const name of ["a", "b", "a/b", "a.lock/b"]) held.push(await locks.acquire(name, { timeoutMs: 0 }));
    await expect(locks.acquire("../a", { timeoutMs: 0 })).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
    for (const lock of held) await release(lock);
  });

  it("says who holds it", async () => {
    await using dir = await tempDir();
    await using other = holder(dir.path);
    expect(await other.line()).toBe("held 1");
    const locks = fileLocks({ root: dir.path });
    await expect(locks.acquire("a", { timeoutMs: 30 })).rejects.toMatchObject({
      code: "E_LOCKED",
      context: { lock: "a", timeout_ms: 30, holder_pid: other.child.pid, holder_host: expect.any(String) as string },
    });
    expect(await locks.holder?.("a")).toMatchObject({ pid: other.child.pid, alive: true });
    await other.kill();
    expect(await locks.holder?.("a")).toMatchObject({ pid: other.child.pid, alive: false });
    expect(await locks.holder?.("never")).toBeUndefined();
    const lock = await locks.acquire("a", { timeoutMs: 0 });
    expect(lock.fencingToken).toBe(2);
    expect(await locks.holder?.("a")).toMatchObject({ pid: process.pid, alive: true });
    await release(lock);
    expect(await locks.holder?.("a")).toBeUndefined();
  });

  it("keeps one small file and the last token, however often it was taken", async () => {
    await using dir = await tempDir();
    const locks = fileLocks({ root: dir.path });
    for (let round = 0; round < 10; round++) await release(await locks.acquire("a", { timeoutMs: 0 }));
    expect((await readdir(dir.join("a.lock"))).sort()).toEqual(["10.lock", "token"]);
    await rm(dir.join("a.lock", "10.lock"));
    await using lock = await locks.acquire("a", { timeoutMs: 0 });
    expect(lock.fencingToken).toBe(11);
    await rm(dir.join("a.lock", "token"));
    await expect(locks.acquire("a", { timeoutMs: 0 })).rejects.toMatchObject({ code: "E_LOCKED" });
  });

  it("is lost, and says so, when its file is taken away", async () => {
    await using dir = await tempDir();
    const lock = await fileLocks({ root: dir.path, leaseMs: 60 }).acquire("a", { timeoutMs: 0 });
    await rm(dir.join("a.lock"), { recursive: true });
    await expect.poll(() => lock.signal.aborted).toBe(true);
    expect(lock.signal.reason).toMatchObject({ code: "E_LOCK_LOST" });
    await expect(lock.assertHeld()).rejects.toBe(lock.signal.reason);
    await release(lock);
  });

  it("is held on while its holder lives and renews, for many leases", async () => {
    await using dir = await tempDir();
    const lock = await fileLocks({ root: dir.path, leaseMs: 1_000 }).acquire("a", { timeoutMs: 0 });
    const endOf = async () => (await readdir(dir.join("a.lock"))).length;
    const before = await endOf();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await lock.assertHeld();
    expect(lock.signal.aborted).toBe(false);
    expect(await endOf()).toBe(before);
    await release(lock);
  });
});

describe("among processes", () => {
  it("16 add to one counter, half of them die holding the lock, and not one step is lost", async () => {
    await using dir = await tempDir();
    await writeFile(dir.join("counter"), "0");
    const rounds = Array.from({ length: 16 }, (_, index) => 4 + index);
    await Promise.all(
      rounds.map((count, index) =>
        run([fixture("lock-worker.mjs"), dir.path, String(count), index % 2 === 0 ? "die" : "live"]),
      ),
    );
    const total = rounds.reduce((sum, count) => sum + count, 0);
    expect(Number(await readFile(dir.join("counter"), "utf8"))).toBe(total);
    const tokens = (await readFile(dir.join("tokens"), "utf8")).trim().split("\n").map(Number);
    expect(tokens).toHaveLength(total);
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    const left = await readdir(dir.join("locks", "tenants", "default", "ana.lock"));
    expect(left.filter((name) => name.endsWith(".lock"))).toHaveLength(1);
  });

  it("is taken from a dead holder at once, however long its lease", async () => {
    await using dir = await tempDir();
    await using other = holder(dir.path);
    expect(await other.line()).toBe("held 1");
    await other.kill();
    await expectToken(fileLocks({ root: dir.path }).acquire("a", { timeoutMs: 0 }), 2);
  });

  it("is taken from a holder whose number another process has now", async () => {
    await using dir = await tempDir();
    await using other = holder(dir.path);
    expect(await other.line()).toBe("held 1");
    const file = dir.join("a.lock", "1.lock");
    const locks = fileLocks({ root: dir.path });
    await expect(locks.acquire("a", { timeoutMs: 0 })).rejects.toMatchObject({ code: "E_LOCKED" });
    const content = JSON.parse(await readFile(file, "utf8")) as object;
    const mtime = new Date(Date.now() + HOUR_MS);
    await writeFile(file, JSON.stringify({ ...content, started_at: "1" }));
    await utimes(file, mtime, mtime);
    await expectToken(locks.acquire("a", { timeoutMs: 0 }), 2);
  });

  it("is never taken from a stopped holder on this host; one that overslept its lease finds it lost", async () => {
    await using dir = await tempDir();
    await using other = holder(dir.path, 300);
    expect(await other.line()).toBe("held 1");
    expect(await other.ask("check")).toBe("still");
    other.child.kill("SIGSTOP");
    const locks = fileLocks({ root: dir.path, leaseMs: 300 });
    await expect(locks.acquire("a", { timeoutMs: 1_500 })).rejects.toMatchObject({ code: "E_LOCKED" });
    other.child.kill("SIGCONT");
    expect(await other.line()).toBe("lost E_LOCK_LOST");
    expect(await other.ask("check")).toBe("refused E_LOCK_LOST");
    expect(await other.ask("release")).toBe("released");
    await expectToken(locks.acquire("a", { timeoutMs: HOUR_MS }), 2);
  });

  it("is taken from a holder on another host after its lease, and that one finds out", async () => {
    await using dir = await tempDir();
    await using other = holder(dir.path, 500, "boot:elsewhere");
    expect(await other.line()).toBe("held 1");
    other.child.kill("SIGSTOP");
    const locks = fileLocks({ root: dir.path });
    await using lock = await locks.acquire("a", { timeoutMs: HOUR_MS });
    expect(lock.fencingToken).toBe(2);
    other.child.kill("SIGCONT");
    expect(await other.line()).toBe("lost E_LOCK_LOST");
    expect(await other.ask("release")).toBe("released");
    await lock.assertHeld();
  });

  it("is not taken from a living holder on another host, though its clock is behind by some leases", async () => {
    await using dir = await tempDir();
    await using other = holder(dir.path, 2_000, "boot:elsewhere", "-8000");
    expect(await other.line()).toBe("held 1");
    expect(await other.ask("check")).toBe("still");
    const locks = fileLocks({ root: dir.path });
    await expect(locks.acquire("a", { timeoutMs: 4_500 })).rejects.toMatchObject({ code: "E_LOCKED" });
    expect(await other.ask("check")).toBe("still");
  });

  it("is taken at once from a holder on another host whose lease ended long ago", async () => {
    await using dir = await tempDir();
    await using other = holder(dir.path, 60_000, "boot:elsewhere", "-3600000");
    expect(await other.line()).toBe("held 1");
    await other.kill();
    await expectToken(fileLocks({ root: dir.path }).acquire("a", { timeoutMs: 0 }), 2);
  });

  it("is taken after a power cut took the content of its file", async () => {
    await using dir = await tempDir();
    await mkdir(dir.join("a.lock"));
    await writeFile(dir.join("a.lock", "7.lock"), "");
    const locks = fileLocks({ root: dir.path, leaseMs: 100 });
    await expectToken(locks.acquire("a", { timeoutMs: HOUR_MS }), 8);
  });
});

describe("LockChain", () => {
  const LEASE_MS = 1_000;

  /** Takes and releases the lock once. */
  async function pass(chain: LockChain): Promise<void> {
    const claim = await chain.claimAfter(await chain.newest(), LEASE_MS);
    if (claim === undefined) throw new Error("not claimed");
    await chain.settle(claim);
    await markReleased(claim.handle);
    await claim.handle.close();
  }

  it("lets one of those who saw the same free lock claim it", async () => {
    await using dir = await tempDir();
    const chain = new LockChain(dir.path);
    await pass(chain);
    const view = await chain.newest();
    const claims = await Promise.all(Array.from({ length: 30 }, () => chain.claimAfter(view, LEASE_MS)));
    const [claim, ...others] = claims.filter((one) => one !== undefined);
    expect(others).toEqual([]);
    await claim?.handle.close();
    expect((await readdir(dir.path)).sort()).toEqual(["1.lock", "2.lock", "token"]);
  });

  it.each([0, 1, 2, 3])("refuses one that slept while the lock went on by %i", async (passes) => {
    for (const earlier of [0, 1, 2]) {
      await using dir = await tempDir();
      const chain = new LockChain(dir.path);
      for (let round = 0; round < earlier; round++) await pass(chain);
      const view = await chain.newest();
      expect(view.number).toBe(earlier);
      for (let round = 0; round < passes; round++) await pass(chain);
      const files = (await readdir(dir.path)).sort();
      const late = await chain.claimAfter(view, LEASE_MS);
      expect(late === undefined).toBe(passes > 0);
      await late?.handle.close();
      if (passes > 0) expect((await readdir(dir.path)).sort()).toEqual(files);
    }
  });
});
