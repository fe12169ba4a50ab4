import { chunked, collect } from "@keepsake/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PartReader } from "../src/objects/part-reader.js";
import { DEFAULT_PART_BYTES, MAX_PARTS, MIN_PART_BYTES, partBytesOf } from "../src/objects/part-sizes.js";
import { keysOf } from "./support/keys-of.js";
import { fixture, Program } from "./support/processes.js";
import { faultBench, makeKnown, onServer, testPlace, testStore } from "./support/test-server.js";
import { Truth } from "./support/truth.js";

const MIB = 1024 * 1024;

describe("parts", () => {
  it("hold the largest object that S3 takes, and begin small", () => {
    for (const first of [MIN_PART_BYTES, DEFAULT_PART_BYTES, 100 * MIB]) {
      let total = 0;
      for (let number = 1; number <= MAX_PARTS; number++) total += partBytesOf(number, first);
      expect(total > 5 * 1024 ** 4 || first === MIN_PART_BYTES).toBe(true);
      expect(partBytesOf(1, first)).toBe(first);
    }
    // S3's own limit of one part is reached by nobody who begins with the default.
    expect(partBytesOf(MAX_PARTS, DEFAULT_PART_BYTES)).toBeLessThanOrEqual(5 * 1024 ** 3);
  });

  it("give back the bytes of any stream, each of the wanted size but the last", async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 50 }), async (parts, size) => {
        const reader = new PartReader(
          (async function* () {
            yield* parts;
          })(),
        );
        const got: Buffer[] = [];
        for (let isLast = false; !isLast; ) {
          const part = await reader.next(size);
          if (!part.isLast) expect(part.bytes.length).toBe(size);
          got.push(Buffer.from(part.bytes));
          isLast = part.isLast;
        }
        const whole = Buffer.concat(parts);
        expect(Buffer.concat(got).equals(whole)).toBe(true);
        expect(got).toHaveLength(Math.max(1, Math.ceil(whole.length / size)));
      }),
    );
  });
});

onServer("a store on S3", () => {
  it.each([0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB, 16 * MIB + 7])(
    "holds %i bytes as they were",
    async (size) => {
      const place = testPlace();
      await using truth = new Truth(place);
      await using store = testStore({ ...place, partBytes: 5 * MIB });
      const bytes = Buffer.alloc(size);
      for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE(at, at);
      await store.put("k", chunked(bytes, 300_007));
      expect((await truth.get("k")).equals(bytes)).toBe(true);
      expect(Buffer.from(await collect((await store.get("k")).body)).equals(bytes)).toBe(true);
      expect(await truth.uploads()).toEqual([]);
    },
  );

  it("lists more than a page", async () => {
    const place = testPlace();
    await using truth = new Truth(place);
    await using store = testStore(place);
    const keys = Array.from(
      { length: 1_130 },
      (_, index) => `t/${String(index % 7)}/${String(index).padStart(5, "0")}`,
    );
    for (let from = 0; from < keys.length; from += 32) {
      await Promise.all(keys.slice(from, from + 32).map((key) => truth.put(key, "x")));
    }
    expect(await keysOf(store, "t/")).toEqual([...keys].sort());
    const controller = new AbortController();
    const aborted = async () => {
      for await (const _object of store.list("t/", { signal: controller.signal })) controller.abort();
    };
    await expect(aborted()).rejects.toMatchObject({ name: "AbortError" });
  });

  it("keeps to its prefix, and shows nothing of what others and it itself keep there", async () => {
    const place = testPlace();
    await using truth = new Truth(place);
    await using store = testStore({ ...place, prefix: `${place.prefix}/p/` });
    await store.put("a/k", chunked("x"));
    for (const key of ["pp/other", "other", "p//double", "p/a/", "p/tab\tkey", "p/../up", "p/.keepsake-s3x"]) {
      await truth.put(key, "x");
    }
    expect(await keysOf(store)).toEqual([".keepsake-s3x", "a/k"]);
    expect(await truth.keys("p/.keepsake-s3/")).toEqual(["p/.keepsake-s3/server.json"]);
    for (const key of [".keepsake-s3", ".keepsake-s3/server.json"]) {
      await expect(store.put(key, chunked("x"))).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
      await expect(store.get(key)).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
      await expect(store.delete(key)).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
    }
    expect(store.describe()).toBe(`bucket ${place.bucket} at ${place.endpoint}, below ${place.prefix}/p/`);
    await expect(keysOf(store, "../x/")).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
  });

  it("has no object of a name that S3 does not take", async () => {
    await using store = testStore();
    const name = `${"n".repeat(600)}/${"m".repeat(600)}`;
    expect(await store.head(name)).toBeUndefined();
    expect(await store.delete(name)).toBe(false);
    await expect(store.get(name)).rejects.toMatchObject({ code: "E_NOT_FOUND" });
    await expect(store.put(name, chunked("x"))).rejects.toMatchObject({ code: "E_LIMIT" });
  });

  it("lets one of 16 processes have a key, where the naive way lets all", async () => {
    const place = testPlace();
    await using truth = new Truth(place);
    await Promise.all(["a", "b"].map((text) => truth.put("naive", text)));
    await makeKnown({ place, truth });
    const texts = Array.from({ length: 16 }, (_, index) => `${String(index)}:`.repeat(300));
    const programs = texts.map((text) => new Program([fixture("put.mjs"), "race", JSON.stringify(place), "t/k", text]));
    try {
      for (const program of programs) expect(await program.line()).toBe("ready");
      for (const program of programs) program.say("go");
      const results = await Promise.all(programs.map((program) => program.line()));
      expect(results.filter((result) => result === "E_ALREADY_EXISTS")).toHaveLength(15);
      expect(await truth.text("t/k")).toBe(texts[results.indexOf("stored")]);
    } finally {
      for (const program of programs) await program[Symbol.asyncDispose]();
    }
  });

  it("shows nothing of a process that was killed in the middle; a sweep removes it, and spares what is young", async () => {
    const place = testPlace();
    await using truth = new Truth(place);
    await makeKnown({ place, truth });
    await using store = testStore(place);
    await using program = new Program([fixture("put.mjs"), "stall", JSON.stringify(place), "a/k", ""]);
    expect(await program.line()).toBe("stalled");
    await expect.poll(() => truth.uploads()).toEqual(["a/k"]);
    await program.kill();
    expect(await keysOf(store)).toEqual([]);
    const finding = (await store.inspect?.())?.find(({ name }) => name === "unfinished_upload");
    expect(finding).toMatchObject({ status: "ok", details: { key: `${place.prefix}/a/k` } });
    expect(Number(finding?.details?.["size_bytes"])).toBeGreaterThanOrEqual(5 * MIB);
    expect(await store.sweep?.({ olderThanMs: 3_600_000 })).toEqual([]);
    expect(await store.sweep?.()).toEqual([]);
    expect(await truth.uploads()).toEqual(["a/k"]);
    await truth.put(".keepsake-s3/trial/left/plain", "x");
    expect(await store.sweep?.({ olderThanMs: -10_000 })).toEqual([
      "a/k (unfinished upload)",
      ".keepsake-s3/trial/left/plain",
    ]);
    expect(await truth.uploads()).toEqual([]);
    expect(await truth.keys(".keepsake-s3/")).toEqual([".keepsake-s3/server.json"]);
  });

  it("says how objects are to be kept", async () => {
    await using box = await faultBench();
    await makeKnown(box);
    await using store = testStore({
      ...box.place,
      storageClass: "STANDARD_IA",
      encryption: { algorithm: "aws:kms", keyId: "key-1" },
      attempts: 1,
    });
    // This server has neither: what it is asked for is seen on the way.
    box.faults.fault = ({ method }) => (method === "PUT" ? { status: 400, code: "InvalidArgument" } : "pass");
    await expect(store.put("k", chunked("x"))).rejects.toMatchObject({ code: "E_IO", retry: "permanent" });
    const { headers } = box.faults.seen.find(({ method }) => method === "PUT") ?? {};
    expect(headers).toMatchObject({
      "x-amz-storage-class": "STANDARD_IA",
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
    });
  });

  it("retains what it writes, where that is asked for", async () => {
    const place = testPlace("KEEPSAKE_TEST_S3_LOCKED");
    await using truth = new Truth(place);
    await using store = testStore({ ...place, retention: { mode: "GOVERNANCE", days: 3 } });
    await store.put("k", chunked("x"));
    const { ObjectLockMode, ObjectLockRetainUntilDate } = await truth.head("k");
    expect(ObjectLockMode).toBe("GOVERNANCE");
    const days = ((ObjectLockRetainUntilDate?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(Math.round(days * 10)).toBe(30);
    expect(await store.delete("k")).toBe(true);
    expect(await store.head("k")).toBeUndefined();
    expect((await store.inspect?.())?.filter(({ status }) => status === "problem")).toEqual([]);

    await using unlocked = testStore({ retention: { mode: "GOVERNANCE", days: 3 } });
    expect(await unlocked.inspect?.()).toContainEqual(
      expect.objectContaining({ name: "object_lock", status: "problem" }),
    );
    await expect(unlocked.put("k", chunked("x"))).rejects.toMatchObject({ retry: "permanent" });
  });
});
