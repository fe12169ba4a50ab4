import { chunked } from "@keepsake/testkit";
import { expect, it } from "vitest";
import { s3Locks } from "../src/index.js";
import type { Fault, Seen } from "./support/fault-server.js";
import { type FaultBench, faultBench, makeKnown, onServer, testStore } from "./support/test-server.js";

const KEPT = ".keepsake-s3/server.json";
const isTrial = ({ url }: Seen) => url.includes("/.keepsake-s3/trial/");
const hasCondition = ({ headers }: Seen) => "if-none-match" in headers || "if-match" in headers;

/** A server that takes every write, whatever its condition. */
function unconditional({ truth, place }: FaultBench): (seen: Seen) => Fault {
  return (seen) => {
    if (seen.method !== "PUT" || !hasCondition(seen)) return "pass";
    return {
      instead: async ({ url, headers }, body) => {
        const path = decodeURIComponent(new URL(url, place.endpoint).pathname);
        const key = path.slice(`/${place.bucket}/${place.prefix}/`.length);
        const writer = headers["x-amz-meta-keepsake-writer"];
        const Metadata = typeof writer === "string" ? { "keepsake-writer": writer } : {};
        return { headers: { etag: await truth.put(key, body, { Metadata }) } };
      },
    };
  };
}

async function kept(box: FaultBench): Promise<Record<string, unknown>> {
  return JSON.parse(await box.truth.text(KEPT)) as Record<string, unknown>;
}

onServer("what a server can do", () => {
  it("is tried out once, kept beside the objects, and tried out again by inspect", async () => {
    await using box = await faultBench();
    await using store = testStore(box.place);
    expect(store.capabilities).toEqual({
      durable: true,
      noOverwrite: "advisory",
      noOverwriteLarge: "advisory",
      ranges: true,
    });
    await store.put("k", chunked("x"));
    expect(store.capabilities.noOverwrite).toBe("atomic");
    expect(box.faults.seen.some(isTrial)).toBe(true);
    const first = await kept(box);
    expect(first).toMatchObject({ version: 1, conditional_put: true, md5: true, lists_at_once: true });
    expect(await box.truth.keys(".keepsake-s3/")).toEqual([KEPT]);

    box.faults.seen.length = 0;
    await using second = testStore(box.place);
    await second.put("k2", chunked("x"));
    expect(second.capabilities).toEqual(store.capabilities);
    expect(box.faults.seen.some(isTrial)).toBe(false);

    const findings = await second.inspect?.();
    expect(box.faults.seen.some(isTrial)).toBe(true);
    expect(Number((await kept(box))["tried_at_ms"])).toBeGreaterThan(Number(first["tried_at_ms"]));
    expect(findings).toEqual([
      {
        name: "no_overwrite",
        status: "ok",
        message: expect.stringContaining("never overwrites another") as string,
        details: expect.objectContaining({ conditional_put: true }) as object,
      },
    ]);
    expect(await box.truth.keys(".keepsake-s3/")).toEqual([KEPT]);
  });

  it.each([
    ["is of another place", (known: object) => JSON.stringify({ ...known, place: "https://elsewhere bucket" })],
    ["is old", (known: object) => JSON.stringify({ ...known, tried_at_ms: Date.now() - 8 * 86_400_000 })],
    ["is of another version", (known: object) => JSON.stringify({ ...known, version: 2 })],
    ["is malformed", () => "{"],
  ])("is tried out again when what was kept %s", async (_what, text) => {
    await using box = await faultBench();
    await makeKnown(box);
    await box.truth.put(KEPT, text(await kept(box)));
    await using store = testStore(box.place);
    await store.put("k", chunked("x"));
    expect(box.faults.seen.some(isTrial)).toBe(true);
  });

  it("is little where conditions are taken and not kept: the store says so, and looks first", async () => {
    await using box = await faultBench();
    box.faults.fault = unconditional(box);
    const warnings: string[] = [];
    const logger = { debug: () => undefined, info: () => undefined, warn: (text: string) => warnings.push(text) };
    await using store = testStore({ ...box.place, logger: { ...logger, error: () => undefined } });
    await store.put("k", chunked("old"));
    expect(await kept(box)).toMatchObject({ conditional_put: false, if_match: "none" });
    expect(store.capabilities).toMatchObject({ noOverwrite: "advisory", noOverwriteLarge: "advisory" });
    expect(warnings).toHaveLength(1);
    await expect(store.put("k", chunked("new"))).rejects.toMatchObject({ code: "E_ALREADY_EXISTS" });
    expect(await box.truth.text("k")).toBe("old");
    expect(await store.inspect?.()).toContainEqual(
      expect.objectContaining({ name: "no_overwrite", status: "warning" }),
    );

    await using locks = s3Locks(box.place);
    expect(await locks.inspect?.()).toContainEqual(expect.objectContaining({ name: "locks", status: "warning" }));
    const lock = await locks.acquire("a", { timeoutMs: 0 });
    await expect(locks.acquire("a", { timeoutMs: 0 })).rejects.toMatchObject({ code: "E_LOCKED" });
    await lock.assertHeld();
    await lock[Symbol.asyncDispose]();
    await using next = await locks.acquire("a", { timeoutMs: 0 });
    expect(next.fencingToken).toBe(2);
  });

  it("is little where conditions are refused as unknown, and the store writes all the same", async () => {
    await using box = await faultBench();
    box.faults.fault = (seen) =>
      hasCondition(seen) && seen.method === "PUT" ? { status: 501, code: "NotImplemented" } : "pass";
    await using store = testStore(box.place);
    await store.put("k", chunked("x"));
    expect(store.capabilities.noOverwrite).toBe("advisory");
  });

  it("is not known where nothing may be tried, and a store that may write elsewhere does", async () => {
    await using box = await faultBench();
    box.faults.fault = (seen) => (isTrial(seen) ? { status: 403, code: "AccessDenied" } : "pass");
    await using store = testStore(box.place);
    await store.put("k", chunked("x"));
    expect(store.capabilities.noOverwrite).toBe("advisory");
    await expect(store.inspect?.()).rejects.toMatchObject({ code: "E_PERMISSION" });
  });

  it("is not decided by a server that cannot answer now", async () => {
    await using box = await faultBench();
    box.faults.fault = (seen) => (isTrial(seen) && hasCondition(seen) ? { status: 503, code: "SlowDown" } : "pass");
    await using store = testStore({ ...box.place, attempts: 1 });
    await expect(store.put("k", chunked("x"))).rejects.toMatchObject({ code: "E_IO", retry: "temporary" });
    box.faults.fault = () => "pass";
    await store.put("k", chunked("x"));
    expect(store.capabilities.noOverwrite).toBe("atomic");
  });

  it("has another time than this machine, which is told", async () => {
    await using box = await faultBench();
    const date = new Date(Date.now() - 600_000).toUTCString();
    box.faults.fault = () => ({ headers: { date } });
    await using store = testStore(box.place);
    const clock = (await store.inspect?.())?.find(({ name }) => name === "clock");
    expect(clock).toMatchObject({ status: "warning", message: expect.stringMatching(/60\d s ahead of/) as string });
  });
});
