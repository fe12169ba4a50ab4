import { gunzipSync, gzipSync } from "node:zlib";
import { type Codec, isKeepsakeError, type Plugin } from "@keepsake/core";
import { chunked, collect } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";

const file = new URL("./gzip-codec.mjs", import.meta.url).href;
const { default: plugin, gzip } = (await import(file)) as { default: Plugin; gzip: Codec };
const unlimited = { maxOutputBytes: Number.POSITIVE_INFINITY };
const content = Buffer.from("notes of an agent, ".repeat(20_000));

describe("the gzip codec", () => {
  it("gives back what it got, however it is cut, and is gzip for others", async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from("x"), content]) {
      const encoded = await collect(gzip.encode(chunked(bytes, 10_000)));
      expect(gunzipSync(encoded).equals(bytes)).toBe(true);
      for (const given of [encoded, gzipSync(bytes)]) {
        for (const size of [1, 100_000]) {
          expect(Buffer.compare(await collect(gzip.decode(chunked(given, size), unlimited)), bytes)).toBe(0);
        }
      }
    }
  });

  it("tells a cut, a tail, a flipped bit and a bomb apart", async () => {
    const encoded = gzipSync("a short note");
    for (let length = 0; length < encoded.length; length += 1) {
      expect([length, await outcome(encoded.subarray(0, length))]).toEqual([length, "E_TRUNCATED"]);
    }
    for (const tail of ["x", "\0", "x".repeat(70_000), encoded]) {
      const longer = Buffer.concat([encoded, Buffer.from(tail)]);
      for (const size of [1000, 1]) expect(await outcome(longer, size)).toBe("E_TRAILING_DATA");
    }
    for (let index = 10; index < encoded.length; index += 1) {
      const damaged = Buffer.from(encoded);
      damaged[index] = (damaged[index] ?? 0) ^ 0x10;
      const code = await outcome(damaged);
      expect(code).toMatch(/^(ok|E_INTEGRITY|E_TRUNCATED|E_TRAILING_DATA)$/);
      if (code !== "ok") continue; // unused bits at the end of the last byte
      expect(Buffer.from(await collect(gzip.decode(chunked(damaged), unlimited))).toString()).toBe("a short note");
    }
    expect(await outcome(gzipSync(content), 1000, content.length - 1)).toBe("E_LIMIT");
  });

  it("stops with its signal and closes its input when its consumer stops", async () => {
    const reason = new Error("stop now");
    const controller = new AbortController();
    const silent = (async function* () {
      yield gzipSync(content).subarray(0, 100);
      controller.abort(reason);
      await new Promise(() => undefined);
    })();
    const { signal } = controller;
    await expect(collect(gzip.decode(silent, { ...unlimited, signal }))).rejects.toBe(reason);
    const closed = new Promise<void>((resolve) => {
      const input = (async function* () {
        try {
          yield gzipSync(content);
          yield gzipSync(content);
        } finally {
          resolve();
        }
      })();
      void (async () => {
        for await (const _chunk of gzip.decode(input, unlimited)) break;
      })();
    });
    await closed;
  });

  it("is what the plugin provides", () => {
    expect(plugin.providers).toMatchObject([{ kind: "codec", name: "gzip" }]);
    expect([gzip.id, gzip.suffix]).toEqual(["gzip", ".gz"]);
  });
});

async function outcome(bytes: Uint8Array, size = 1000, maxOutputBytes = Number.POSITIVE_INFINITY): Promise<string> {
  try {
    await collect(gzip.decode(chunked(bytes, size), { maxOutputBytes }));
    return "ok";
  } catch (error) {
    if (isKeepsakeError(error)) return error.code;
    throw error;
  }
}
