import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { Lock } from "@keepsake/core";
import { ownIdentity } from "@keepsake/files";
import { tempDir } from "@keepsake/testkit";
import { expect, it } from "vitest";
import { s3Locks } from "../src/index.js";
import { fixture, Program, run } from "./support/processes.js";
import type { Seen } from "./support/fault-server.js";
import { faultBench, makeKnown, onServer, testPlace, type TestPlace } from "./support/test-server.js";
import { Truth } from "./support/truth.js";

const HOUR_MS = 3_600_000;
const OBJECT = ".keepsake-s3/locks/a.json";
const isLease = ({ url }: Seen) => url.includes("/locks/");
const isLeasePut = (seen: Seen) => isLease(seen) && seen.method === "PUT";
const release = (lock: Lock) => lock[Symbol.asyncDispose]();

const holder = (place: TestPlace, leaseMs = HOUR_MS, wrapper: readonly string[] = []) => {
  const [command, ...rest] = [...wrapper, process.execPath];
  return new Program([...rest, fixture("lock-holder.mjs"), JSON.stringify(place), String(leaseMs)], command);
};

/** The lease of a holder on another machine that is never heard of again. */
function leaseFromElsewhere(leaseMs: number): string {
  const holder = { host: "boot:elsewhere", host_name: "elsewhere", pid: 1, started_at: "1" };
  return JSON.stringify({
    version: 1,
    token: 41,
    nonce: "n",
    renewal: 0,
    lease_ms: leaseMs,
    released: false,
    ...holder,
  });
}

interface Bench extends AsyncDisposable {
  readonly place: TestPlace;
  readonly truth: Truth;
}

async function bench(): Promise<Bench> {
  const place = testPlace();
  const truth = new Truth(place);
  await makeKnown({ place, truth });
  return { place, truth, [Symbol.asyncDispose]: () => truth[Symbol.asyncDispose]() };
}

onServer("locks on S3, among processes", () => {
  it("let 8 add to one counter, half of which die holding the lock, and not one step is lost", async () => {
    await using box = await bench();
    await using dir = await tempDir();
    await writeFile(dir.join("counter"), "0");
    const rounds = Array.from({ length: 8 }, (_, index) => 3 + (index % 4));
    const place = JSON.stringify(box.place);
    await Promise.all(
      rounds.map((count, index) =>
        run([fixture("lock-worker.mjs"), place, dir.path, String(count), index % 2 === 0 ? "die" : "live"]),
      ),
    );
    const total = rounds.reduce((sum, count) => sum + count, 0);
    expect(Number(await readFile(dir.join("counter"), "utf8"))).toBe(total);
    const tokens = (await readFile(dir.join("tokens"), "utf8")).trim().split("\n").map(Number);
    expect(tokens).toHaveLength(total);
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
  });

  it("are taken from a dead holder of this machine at once, however long its lease", async () => {
    await using box = await bench();
    await using other = holder(box.place);
    expect(await other.line()).toBe("held 1");
    await using locks = s3Locks(box.place);
    await expect(locks.acquire("a", { timeoutMs: 0 })).rejects.toMatchObject({
      code: "E_LOCKED",
      context: { holder_pid: other.child.pid, holder_host: hostname() },
    });
    expect(await locks.holder?.("a")).toMatchObject({ pid: other.child.pid, alive: true });
    await other.kill();
    expect(await locks.holder?.("a")).toMatchObject({ alive: false });
    await using lock = await locks.acquire("a", { timeoutMs: 0 });
    expect(lock.fencingToken).toBe(2);
  });

  it("are taken from a stopped holder when its lease has ended, not before, and that one finds out", async () => {
    await using box = await bench();
    await using other = holder(box.place, 2_000);
    expect(await other.line()).toBe("held 1");
    expect(await other.ask("check")).toBe("still");
    other.child.kill("SIGSTOP");
    await using locks = s3Locks(box.place);
    await expect(locks.acquire("a", { timeoutMs: 500 })).rejects.toMatchObject({ code: "E_LOCKED" });
    await using lock = await locks.acquire("a", { timeoutMs: HOUR_MS });
    expect(lock.fencingToken).toBe(2);
    other.child.kill("SIGCONT");
    expect(await other.line()).toBe("lost E_LOCK_LOST");
    expect(await other.ask("check")).toBe("refused E_LOCK_LOST");
    expect(await other.ask("release")).toBe("released");
    await lock.assertHeld();
  });

  it("stay with a holder that renews, for as long as others wait", async () => {
    await using box = await bench();
    await using other = holder(box.place, 1_500);
    expect(await other.line()).toBe("held 1");
    await using locks = s3Locks(box.place);
    await expect(locks.acquire("a", { timeoutMs: 6_000 })).rejects.toMatchObject({ code: "E_LOCKED" });
    expect(await other.ask("check")).toBe("still");
  });

  it.each(["-1h", "+1h"])(
    "stay with a holder whose clock is wrong by %s, and with one seen by such a clock",
    async (by) => {
      await using box = await bench();
      const wrong = ["faketime", "-f", by];
      await using other = holder(box.place, 60_000, wrong);
      const said = await other.line();
      expect(said).toBe("held 1");
      await using locks = s3Locks(box.place);
      await expect(locks.acquire("a", { timeoutMs: 1_000 })).rejects.toMatchObject({ code: "E_LOCKED" });
      expect(await other.ask("check")).toBe("still");
      await endOf(other);
      // A lease that is young by the server's clock, and has ended long ago by this machine's.
      await box.truth.put(OBJECT, leaseFromElsewhere(60_000));
      await using third = holder(box.place, 60_000, wrong);
      expect(await third.line()).toBe("refused E_LOCKED");
    },
  );
});

/** faketime starts the program as a process of its own. */
async function endOf(program: Program): Promise<void> {
  program.child.stdin?.end();
  await program.kill();
}

onServer("locks on S3", () => {
  it("are taken from a machine that is not heard of, once the lease was seen to stand still for its length", async () => {
    await using box = await bench();
    await box.truth.put(OBJECT, leaseFromElsewhere(1_500));
    await using locks = s3Locks(box.place);
    await expect(locks.acquire("a", { timeoutMs: 0 })).rejects.toMatchObject({ context: { holder_host: "elsewhere" } });
    await using lock = await locks.acquire("a", { timeoutMs: HOUR_MS });
    expect(lock.fencingToken).toBe(42);
  });

  it("are taken at first sight from one whose lease ended long ago by both clocks, and by none alone", async () => {
    await using box = await faultBench();
    await makeKnown(box);
    await box.truth.put(OBJECT, leaseFromElsewhere(1));
    await using locks = s3Locks(box.place);
    const atOnce = () =>
      locks.acquire("a", { timeoutMs: 0 }).then(
        async (lock) => {
          await release(lock);
          return lock.fencingToken;
        },
        () => undefined,
      );
    expect(await atOnce()).toBeUndefined();
    await expect.poll(atOnce, { timeout: 30_000, interval: 200 }).toBe(42);

    // Answers that say it is ten minutes later; with more the library signs with that time, and is refused.
    await box.truth.put(OBJECT, leaseFromElsewhere(60_000));
    const date = new Date(Date.now() + 600_000).toUTCString();
    box.faults.fault = (seen) => (isLease(seen) ? { headers: { date } } : "pass");
    expect(await atOnce()).toBeUndefined();
  });

  it("are lost, and say so, when their object is taken away or is another's", async () => {
    await using box = await bench();
    await using locks = s3Locks({ ...box.place, leaseMs: 900 });
    const first = await locks.acquire("a", { timeoutMs: 0 });
    await box.truth.delete(OBJECT);
    await expect.poll(() => first.signal.aborted, { timeout: 10_000 }).toBe(true);
    expect(first.signal.reason).toMatchObject({ code: "E_LOCK_LOST" });
    await expect(first.assertHeld()).rejects.toBe(first.signal.reason);
    await release(first);

    const second = await locks.acquire("a", { timeoutMs: 0 });
    await box.truth.put(OBJECT, leaseFromElsewhere(HOUR_MS));
    await expect(second.assertHeld()).rejects.toMatchObject({ code: "E_LOCK_LOST" });
    expect(second.signal.aborted).toBe(true);
    await release(second);
    expect(JSON.parse(await box.truth.text(OBJECT))).toMatchObject({ token: 41, released: false });
  });

  it("are not released when they are another's by then", async () => {
    await using box = await bench();
    await using locks = s3Locks(box.place);
    const lock = await locks.acquire("a", { timeoutMs: 0 });
    await box.truth.put(OBJECT, leaseFromElsewhere(HOUR_MS));
    await release(lock);
    expect(JSON.parse(await box.truth.text(OBJECT))).toMatchObject({ token: 41, released: false });
  });

  it("are lost when the lease ends, though the server is silent", async () => {
    await using box = await faultBench();
    await makeKnown(box);
    await using locks = s3Locks({ ...box.place, leaseMs: 1_500 });
    const lock = await locks.acquire("a", { timeoutMs: 0 });
    box.faults.fault = (seen) => (isLease(seen) ? { stall: "before" } : "pass");
    const asking = expect(lock.assertHeld()).rejects.toMatchObject({ code: "E_LOCK_LOST" });
    await expect.poll(() => lock.signal.aborted, { timeout: 10_000 }).toBe(true);
    await asking;
    await release(lock);
  });

  it("are kept though a renewal meets silence: it is tried again within the lease", async () => {
    await using box = await faultBench();
    await makeKnown(box);
    await using locks = s3Locks({ ...box.place, leaseMs: 9_000 });
    await using lock = await locks.acquire("a", { timeoutMs: 0 });
    box.faults.once(isLeasePut, { stall: "before" });
    await lock.assertHeld();
    expect(box.faults.seen.filter(isLeasePut)).toHaveLength(3);
  });

  it.each([
    ["the claim's answer is lost", 0],
    ["a renewal's answer is lost", 1],
    ["the release's answer is lost", 2],
  ])("are held and released all the same when %s", async (_what, nth) => {
    await using box = await faultBench();
    await makeKnown(box);
    await using locks = s3Locks(box.place);
    let puts = 0;
    box.faults.fault = (seen) => (isLeasePut(seen) && puts++ === nth ? { reset: "after" } : "pass");
    const lock = await locks.acquire("a", { timeoutMs: 0 });
    await lock.assertHeld();
    await release(lock);
    expect(puts).toBe(4);
    expect(JSON.parse(await box.truth.text(OBJECT))).toMatchObject({ token: 1, released: true });
  });

  it("are free when the lease ends where they could not be released, which fails nothing", async () => {
    await using box = await faultBench();
    await makeKnown(box);
    const warnings: string[] = [];
    const warn = (text: string) => void warnings.push(text);
    const logger = { debug: () => undefined, info: () => undefined, warn, error: () => undefined };
    await using locks = s3Locks({ ...box.place, leaseMs: 2_000, attempts: 1, logger });
    const lock = await locks.acquire("a", { timeoutMs: 0 });
    box.faults.fault = () => ({ status: 503, code: "SlowDown" });
    await release(lock);
    expect(warnings).toHaveLength(1);
    box.faults.fault = () => "pass";
    await using next = await locks.acquire("a", { timeoutMs: HOUR_MS });
    expect(next.fencingToken).toBe(2);
  });

  it("say that an object is malformed, and take nothing", async () => {
    await using box = await bench();
    await box.truth.put(OBJECT, "{}");
    await using locks = s3Locks(box.place);
    await expect(locks.acquire("a", { timeoutMs: 0 })).rejects.toMatchObject({ code: "E_RECORD" });
    expect(await box.truth.text(OBJECT)).toBe("{}");
  });

  it("say what they rest on, and what versions of them cost", async () => {
    await using plain = s3Locks(testPlace());
    expect(await plain.inspect?.()).toEqual([expect.objectContaining({ name: "locks", status: "ok" })]);
    await using versioned = s3Locks(testPlace("KEEPSAKE_TEST_S3_LOCKED"));
    // RadosGW 16 keeps no conditions at all in such a bucket, which is the first finding.
    expect((await versioned.inspect?.())?.at(-1)).toMatchObject({
      status: "warning",
      message: expect.stringContaining("every renewal of a lock leaves one") as string,
    });
  });

  it("name this process as the holder", async () => {
    await using box = await bench();
    await using locks = s3Locks(box.place);
    await using _lock = await locks.acquire("a", { timeoutMs: 0 });
    const { host, pid, startedAt } = ownIdentity();
    expect(JSON.parse(await box.truth.text(OBJECT))).toMatchObject({ host, pid, started_at: startedAt });
  });
});
