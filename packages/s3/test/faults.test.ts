import { createHash } from "node:crypto";
import { isAbortError } from "@keepsake/core";
import { chunked, collect } from "@keepsake/testkit";
import { expect, it } from "vitest";
import type { Seen } from "./support/fault-server.js";
import { type FaultBench, faultBench, makeKnown, onServer, testStore } from "./support/test-server.js";

const MIB = 1024 * 1024;
const isObject = ({ url }: Seen) => !url.includes("/.keepsake-s3/") && !url.includes("list-type");
const isPut = (seen: Seen) => isObject(seen) && seen.method === "PUT";
const isGet = (seen: Seen) => isObject(seen) && seen.method === "GET";
const isPart = (seen: Seen) => isPut(seen) && seen.url.includes("partNumber=");

const isCompletion = (seen: Seen) => seen.method === "POST" && seen.url.includes("uploadId=");
const isBeginning = (seen: Seen) => seen.method === "POST" && seen.url.includes("uploads");

/** Bytes of which none can be exchanged for another unseen. */
function numbers(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE(at, at);
  return bytes;
}

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

interface Bench extends FaultBench {
  /** reached through the faults */
  readonly store: ReturnType<typeof testStore>;
}

async function bench(options: Parameters<typeof testStore>[0] = {}): Promise<Bench> {
  const made = await faultBench();
  await makeKnown(made);
  const store = testStore({ ...made.place, timeoutMs: 1_500, ...options });
  return {
    ...made,
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await made[Symbol.asyncDispose]();
    },
  };
}

onServer("a reading", () => {
  it.each([
    ["is reset", { reset: { afterBytesDown: MIB } }],
    ["falls silent", { stall: { afterBytesDown: MIB } }],
    ["is reset before it begins", { reset: "before" }],
    ["meets a busy server", { status: 503, code: "SlowDown" }],
  ] as const)("goes on where it stopped when it %s", async (_what, fault) => {
    await using box = await bench();
    const bytes = numbers(3 * MIB);
    await box.truth.put("k", bytes);
    box.faults.once(isGet, fault);
    const read = await collect((await box.store.get("k")).body);
    expect(digest(read)).toBe(digest(bytes));
    const ranges = box.faults.seen.filter(isGet).map(({ headers }) => headers.range);
    expect(ranges).toHaveLength(2);
    expect(ranges[0]).toBe(`bytes=0-${String(3 * MIB - 1)}`);
    const [, from = ""] = /^bytes=(\d+)-/.exec(ranges[1] ?? "") ?? [];
    expect(Number(from) > 0).toBe(typeof fault === "object" && "afterBytesDown" in Object(Object.values(fault)[0]));
  });

  it("goes on through a connection that breaks every 300 KiB", async () => {
    await using box = await bench();
    const bytes = numbers(3 * MIB);
    await box.truth.put("k", bytes);
    box.faults.fault = (seen) => (isGet(seen) ? { reset: { afterBytesDown: 300 * 1024 } } : "pass");
    const read = await collect((await box.store.get("k", { range: { start: 5, length: 2 * MIB } })).body);
    expect(digest(read)).toBe(digest(bytes.subarray(5, 5 + 2 * MIB)));
  });

  it("fails when nothing comes, time after time", async () => {
    await using box = await bench({ attempts: 2 });
    await box.truth.put("k", numbers(MIB));
    box.faults.fault = (seen) => (isGet(seen) ? { stall: { afterBytesDown: 0 } } : "pass");
    const reading = collect((await box.store.get("k")).body);
    await expect(reading).rejects.toMatchObject({ code: "E_IO", retry: "temporary" });
  });

  it("stops when aborted, though the server is silent", async () => {
    await using box = await bench({ timeoutMs: 600_000 });
    await box.truth.put("k", numbers(MIB));
    const controller = new AbortController();
    box.faults.fault = (seen) => {
      if (!isGet(seen)) return "pass";
      setTimeout(() => controller.abort(), 50);
      return { stall: { afterBytesDown: 1000 } };
    };
    const { body } = await box.store.get("k", { signal: controller.signal });
    await expect(collect(body)).rejects.toSatisfy(isAbortError);
  });

  it("says so when the object goes, or another takes its place, in the middle", async () => {
    await using box = await bench();
    await box.truth.put("gone", numbers(MIB));
    const { body } = await box.store.get("gone");
    await box.truth.delete("gone");
    await expect(collect(body)).rejects.toMatchObject({ code: "E_NOT_FOUND" });

    await box.truth.put("other", numbers(MIB));
    box.faults.once(isGet, { reset: { afterBytesDown: 100_000 } });
    const reading = (async () => {
      let isFirst = true;
      for await (const _chunk of (await box.store.get("other")).body) {
        if (isFirst) await box.truth.put("other", Buffer.alloc(MIB, 7));
        isFirst = false;
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: "E_IO", retry: "permanent" });
  });
});

onServer("a writing", () => {
  it.each([
    ["is reset before the server saw it", isPut, { reset: "before" }],
    ["is reset in the middle", isPut, { reset: { afterBytesUp: 20_000 } }],
    ["meets a busy server", isPut, { status: 503, code: "SlowDown" }],
    ["meets a silent server", isPut, { stall: "before" }],
    ["loses the answer", isPut, { reset: "after" }],
    ["waits for the answer in vain", isPut, { stall: "after" }],
  ] as const)("in one call succeeds when it %s", async (_what, fits, fault) => {
    await using box = await bench();
    const bytes = numbers(200_000);
    box.faults.once(fits, fault);
    expect(await box.store.put("k", chunked(bytes, 10_000))).toMatchObject({ key: "k", sizeBytes: bytes.length });
    expect(digest(await box.truth.get("k"))).toBe(digest(bytes));
    expect(box.faults.seen.filter(isPut)).toHaveLength(2);
  });

  it.each([
    ["a part is reset in the middle", isPart, { reset: { afterBytesUp: 3 * MIB } }],
    ["a part's answer is lost", isPart, { reset: "after" }],
    ["the server is busy", isPart, { status: 503, code: "SlowDown" }],
    ["it falls silent", isPart, { stall: "before" }],
    ["the beginning's answer is lost", isBeginning, { reset: "after" }],
    ["the completion is reset", isCompletion, { reset: "before" }],
    ["the completion's answer is lost", isCompletion, { reset: "after" }],
  ] as const)("in parts succeeds when %s", async (_what, fits, fault) => {
    await using box = await bench({ partBytes: 5 * MIB });
    const bytes = numbers(12 * MIB + 12);
    box.faults.once(fits, fault);
    expect(await box.store.put("k", chunked(bytes, 700_001))).toMatchObject({ sizeBytes: bytes.length });
    expect(digest(await box.truth.get("k"))).toBe(digest(bytes));
  });

  it("is not taken for another's when another's is there", async () => {
    await using box = await bench();
    const racing = async function* () {
      await box.truth.put("k", "theirs");
      yield Buffer.from("ours");
    };
    await expect(box.store.put("k", racing())).rejects.toMatchObject({ code: "E_ALREADY_EXISTS" });
    expect(await box.truth.text("k")).toBe("theirs");
  });

  it("in parts does not overwrite what came meanwhile", async () => {
    await using box = await bench({ partBytes: 5 * MIB });
    const racing = async function* () {
      yield numbers(11 * MIB);
      await box.truth.put("k", "theirs");
    };
    await expect(box.store.put("k", racing())).rejects.toMatchObject({ code: "E_ALREADY_EXISTS" });
    expect(await box.truth.text("k")).toBe("theirs");
    expect(await box.truth.uploads()).toEqual([]);
  });

  it.each([
    ["one call", 1000],
    ["parts", 11 * MIB],
  ])("in %s leaves nothing when the server stays away", async (_how, size) => {
    await using box = await bench({ partBytes: 5 * MIB, attempts: 2, timeoutMs: 500 });
    box.faults.fault = (seen) => (isPut(seen) ? { stall: "before" } : "pass");
    await expect(box.store.put("k", chunked(numbers(size), 100_000))).rejects.toMatchObject({
      code: "E_IO",
      retry: "temporary",
    });
    expect(await box.truth.keys()).toEqual([]);
    expect(await box.truth.uploads()).toEqual([]);
  });

  it("leaves nothing when it is aborted while the server is at work, or has done it", async () => {
    for (const fault of [{ stall: "before" }, { stall: "after" }] as const) {
      await using box = await bench({ timeoutMs: 600_000 });
      const controller = new AbortController();
      box.faults.once(isPut, fault);
      const writing = box.store.put("k", chunked("x"), { signal: controller.signal });
      await expect.poll(() => box.faults.seen.some(isPut)).toBe(true);
      if (fault.stall === "after") await expect.poll(() => box.truth.keys()).toEqual(["k"]);
      controller.abort();
      await expect(writing).rejects.toSatisfy(isAbortError);
      expect(await box.truth.keys()).toEqual([]);
    }
  });

  it("notices bytes that change on the way", async () => {
    await using box = await bench({ partBytes: 5 * MIB, attempts: 1 });
    for (const size of [1000, 6 * MIB]) {
      box.faults.once(size < MIB ? isPut : isPart, { flip: true });
      const writing = box.store.put("k", chunked(numbers(size)));
      await expect(writing).rejects.toMatchObject({ code: "E_IO", context: { status: 400 } });
      expect([await box.truth.keys(), await box.truth.uploads()]).toEqual([[], []]);
    }
  });

  it("notices a part that the server lost, and takes the object away", async () => {
    await using box = await bench({ partBytes: 5 * MIB });
    box.faults.once(isCompletion, {
      instead: async () => {
        // No real server can be made to lose a part: what it would hold then is put in its place.
        const writer = box.faults.seen.find(isBeginning)?.headers["x-amz-meta-keepsake-writer"];
        await box.truth.put("k", numbers(5 * MIB), { Metadata: { "keepsake-writer": String(writer) } });
        return { headers: {}, body: "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>" };
      },
    });
    const writing = box.store.put("k", chunked(numbers(12 * MIB), MIB));
    await expect(writing).rejects.toMatchObject({ code: "E_INTEGRITY", context: { found_bytes: 5 * MIB } });
    expect(await box.truth.keys()).toEqual([]);
  });
});
