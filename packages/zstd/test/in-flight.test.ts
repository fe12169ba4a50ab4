import { setTimeout as sleep } from "node:timers/promises";
import { chunked, collect } from "@keepsake/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { InFlight } from "../src/in-flight.js";
import { zstd } from "../src/zstd.js";
import { outcome, sampleNoise } from "./helpers.js";

const FRAME = 64 * 1024;

describe("work that fails before its turn", () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);

  beforeEach(() => {
    unhandled.length = 0;
    process.on("unhandledRejection", note);
  });
  afterEach(() => {
    process.off("unhandledRejection", note);
  });

  it("would end the process if its turn were simply awaited, and is told in its turn here", async () => {
    const naive = [Promise.reject(new Error("naive"))];
    await sleep(5);
    expect(unhandled).toHaveLength(1);
    await expect(naive[0]).rejects.toThrow("naive");

    const work = new InFlight<number>();
    work.push(Promise.resolve(1));
    work.push(Promise.reject(new Error("later")));
    await sleep(5);
    expect(await work.next()).toBe(1);
    await expect(work.next()).rejects.toThrow("later");
    expect(unhandled).toHaveLength(1);
  });

  it("is one error of the iteration when many frames are damaged and the input stalls meanwhile", async () => {
    const codec = zstd({ frameBytes: FRAME, concurrency: 4 });
    const encoded = Buffer.from(await collect(codec.encode(chunked(sampleNoise(16 * FRAME)))));
    for (let at = FRAME / 2; at < encoded.length; at += FRAME) encoded[at] = (encoded[at] ?? 0) ^ 1;
    const stalling = async function* () {
      for (let at = 0; at < encoded.length; at += FRAME) {
        yield encoded.subarray(at, at + FRAME);
        await sleep(5);
      }
    };
    expect(await outcome(codec.decode(stalling(), { maxOutputBytes: 1e9 }))).toBe("E_INTEGRITY");
    await sleep(20);
    expect(unhandled).toEqual([]);
  });
});
