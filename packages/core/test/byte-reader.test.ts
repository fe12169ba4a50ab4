import { abortable } from "../src/bytes/abortable.js";
import { ByteReader } from "../src/bytes/byte-reader.js";
import type { ByteStream } from "../src/bytes/byte-stream.js";
import { describe, expect, it } from "vitest";

const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);

async function* chunked(all: Uint8Array, size: number): ByteStream {
  for (let start = 0; start < all.length; start += size) yield all.subarray(start, start + size);
}

describe("ByteReader", () => {
  for (const size of [1, 3, 7, 50, 100]) {
    it(`gives portions of the chosen size from chunks of ${size}`, async () => {
      const reader = new ByteReader(chunked(bytes, size));
      expect(reader.buffered).toBe(0);
      expect([...(await reader.peek(5))]).toEqual([0, 1, 2, 3, 4]);
      expect(reader.buffered).toBe(Math.ceil(5 / size) * size);
      expect([...(await reader.read(3))]).toEqual([0, 1, 2]);
      expect(await reader.read(0)).toHaveLength(0);
      expect([...(await reader.read(60))]).toEqual([...bytes.subarray(3, 63)]);
      const some = await reader.readSome();
      expect(some?.[0]).toBe(63);
      expect((await reader.read(1000)).length).toBe(37 - (some?.length ?? 0));
      expect(await reader.read(1)).toHaveLength(0);
      expect(await reader.readSome()).toBeUndefined();
      expect(reader.buffered).toBe(0);
    });
  }

  it("closes an input that was not read to its end", async () => {
    let closed = false;
    const input = (async function* (): ByteStream {
      try {
        yield bytes;
        yield bytes;
      } finally {
        closed = true;
      }
    })();
    const reader = new ByteReader(input);
    await reader.read(1);
    await reader.close();
    expect(closed).toBe(true);
  });
});

describe("abortable", () => {
  it("rejects with the reason although the input is silent for ever", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const silent = (async function* (): ByteStream {
      yield bytes;
      await new Promise(() => undefined);
    })();
    const stream = abortable(silent, controller.signal);
    expect((await stream.next()).value).toBe(bytes);
    const pending = stream.next();
    controller.abort(reason);
    await expect(pending).rejects.toBe(reason);
  });

  it("rejects when the input itself fires the signal, and then is silent", async () => {
    const controller = new AbortController();
    const silent = (async function* (): ByteStream {
      controller.abort();
      await new Promise(() => undefined);
      yield bytes;
    })();
    await expect(abortable(silent, controller.signal).next()).rejects.toMatchObject({ name: "AbortError" });
  });

  it("closes the input when the consumer stops early", async () => {
    let closed = false;
    const input = (async function* (): ByteStream {
      try {
        for (;;) yield bytes;
      } finally {
        closed = true;
      }
    })();
    for await (const _chunk of abortable(input, new AbortController().signal)) break;
    expect(closed).toBe(true);
  });
});
