import { createRequire } from "node:module";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chunked, collect } from "@keepsake/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { zstd } from "../src/zstd.js";
import { outcome, sampleNoise, sampleText } from "./helpers.js";

const KIB = 1024;
const unlimited = { maxOutputBytes: Number.POSITIVE_INFINITY };
const small = zstd({ frameBytes: 64 * KIB });
const javaScript = zstd({ backend: "fzstd" });

describe("round trip", () => {
  const sizes = [0, 1, 100, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB, 1000 * KIB];
  for (const size of sizes) {
    it(`gives back ${size} bytes, by both decoders`, async () => {
      for (const content of [sampleText(size), sampleNoise(size), Buffer.alloc(size)]) {
        const encoded = await collect(small.encode(chunked(content)));
        expect(Buffer.from(await collect(small.decode(chunked(encoded), unlimited))).equals(content)).toBe(true);
        expect(Buffer.from(await collect(javaScript.decode(chunked(encoded), unlimited))).equals(content)).toBe(true);
      }
    });
  }

  it("gives back any bytes, cut into any chunks", async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.nat(300_000).map((size) => sampleText(size)),
    );
    await fc.assert(
      fc.asyncProperty(content, fc.integer({ min: 1, max: 100_000 }), async (bytes, size) => {
        const encoded = await collect(small.encode(chunked(bytes, Math.max(size, bytes.length / 1000))));
        const pieces = Math.max(1, Math.ceil(encoded.length / ((size % 50) + 1)));
        const decoded = await collect(small.decode(chunked(encoded, pieces), unlimited));
        expect(Buffer.compare(decoded, bytes)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("gives the same bytes however the input is cut", async () => {
    const content = sampleText(300 * KIB);
    const whole = await collect(small.encode(chunked(content)));
    for (const size of [1, 1000, 64 * KIB, 100_001]) {
      expect(Buffer.compare(await collect(small.encode(chunked(content, size))), whole)).toBe(0);
    }
    expect(
      Buffer.compare(await collect(zstd({ frameBytes: 64 * KIB, concurrency: 9 }).encode(chunked(content))), whole),
    ).toBe(0);
  });

  it("reads one byte at a time", async () => {
    const content = sampleText(200 * KIB);
    const encoded = await collect(small.encode(chunked(content)));
    for (const codec of [small, javaScript]) {
      expect(Buffer.compare(await collect(codec.decode(chunked(encoded, 1), unlimited)), content)).toBe(0);
    }
  });

  it("honours the level", async () => {
    const content = sampleText(500 * KIB);
    const sizes = [];
    for (const level of [1, 19]) sizes.push((await collect(zstd({ level }).encode(chunked(content)))).length);
    expect(sizes[1]).toBeLessThan((sizes[0] ?? 0) * 0.95);
  });

  it("refuses options outside their range", () => {
    expect(() => zstd({ level: 0 })).toThrow(TypeError);
    expect(() => zstd({ frameBytes: 9 * KIB * KIB })).toThrow(TypeError);
    expect(() => zstd({ concurrency: 0 })).toThrow(TypeError);
  });
});

describe("damage", () => {
  const content = Buffer.concat([sampleText(400), sampleNoise(60)]);

  it("is not seen without the checksum: the naive frame gives wrong bytes for most flipped bits", async () => {
    const bindings = createRequire(import.meta.url)("@mongodb-js/zstd/bindings.js") as {
      compress(data: Buffer, level: number): Promise<Buffer>;
      decompress(data: Buffer): Promise<Buffer>;
    };
    const frame = await bindings.compress(content, 3);
    let wrong = 0;
    for (let bit = 0; bit < frame.length * 8; bit += 1) {
      const decoded = await bindings.decompress(flip(frame, bit)).catch(() => undefined);
      if (decoded !== undefined && !decoded.equals(content)) wrong += 1;
    }
    expect(wrong).toBeGreaterThan(frame.length * 2);
  });

  for (const [name, codec] of [
    ["native", zstd()],
    ["fzstd", javaScript],
  ] as const) {
    it(`never gives wrong bytes for any flipped bit (${name})`, async () => {
      const encoded = Buffer.from(await collect(zstd().encode(chunked(content))));
      const codes = new Map<string, number>();
      for (let bit = 0; bit < encoded.length * 8; bit += 1) {
        const damaged = flip(encoded, bit);
        const code = await outcome(codec.decode(chunked(damaged), { maxOutputBytes: 2 ** 20 }));
        codes.set(code, (codes.get(code) ?? 0) + 1);
        if (code !== "ok") continue;
        // The unused bit of the descriptor (RFC 8878, 3.1.1.1.1.3) and a wider window, for example, change nothing.
        expect(Buffer.compare(await collect(codec.decode(chunked(damaged), unlimited)), content)).toBe(0);
      }
      expect(codes.get("E_INTEGRITY")).toBeGreaterThan(encoded.length * 7);
      expect(codes.get("ok") ?? 0).toBeLessThan(32);
      expect(
        [...codes.keys()].filter(
          (code) => !/^(ok|E_INTEGRITY|E_TRUNCATED|E_TRAILING_DATA|E_LIMIT|E_UNSUPPORTED)$/.test(code),
        ),
      ).toEqual([]);
    });

    it(`says truncated for a cut at every length, but between frames (${name})`, async () => {
      const parts = [sampleText(300, 1), sampleNoise(80, 2), Buffer.alloc(200, 7)];
      const frames = await Promise.all(parts.map(async (part) => collect(zstd().encode(chunked(part)))));
      const all = Buffer.concat(frames);
      const boundaries = [frames[0]?.length ?? 0, (frames[0]?.length ?? 0) + (frames[1]?.length ?? 0), all.length];
      for (let length = 0; length <= all.length; length += 1) {
        const expected = boundaries.includes(length) ? "ok" : "E_TRUNCATED";
        expect([length, await outcome(codec.decode(chunked(all.subarray(0, length)), unlimited))]).toEqual([
          length,
          expected,
        ]);
      }
    });

    it(`says what follows the end (${name})`, async () => {
      const encoded = await collect(zstd().encode(chunked("hello")));
      for (const tail of ["x", "garbage that goes on", "\0\0\0\0", "\0"]) {
        const damaged = Buffer.concat([encoded, Buffer.from(tail)]);
        expect(await outcome(codec.decode(chunked(damaged), unlimited))).toBe("E_TRAILING_DATA");
        expect(await outcome(codec.decode(chunked(damaged, 1), unlimited))).toBe("E_TRAILING_DATA");
      }
      expect(await outcome(codec.decode(chunked("this is no zstd"), unlimited))).toBe("E_INTEGRITY");
    });
  }
});

describe("as a stream", () => {
  it("reads no further ahead than the frames in flight", async () => {
    let read = 0;
    const input = (async function* () {
      for (;;) {
        read += 64 * KIB;
        yield sampleNoise(64 * KIB);
      }
    })();
    const codec = zstd({ frameBytes: 64 * KIB, concurrency: 2 });
    for await (const _chunk of codec.encode(input)) break;
    expect(read).toBeLessThanOrEqual(4 * 64 * KIB);
  });
});

describe("where the native library is missing", () => {
  it("decodes all the same, says so, and refuses to encode", async () => {
    const content = sampleText(200 * KIB);
    const encoded = await collect(small.encode(chunked(content)));
    const program = `
      const { zstd } = await import(${JSON.stringify(import.meta.resolve("@keepsake/zstd"))});
      const codec = zstd();
      const chunks = [];
      for await (const chunk of codec.decode([process.argv[1] ? Buffer.from(process.argv[1], "base64") : ""], { maxOutputBytes: 1e9 })) chunks.push(chunk);
      let refused;
      try { for await (const chunk of codec.encode([Buffer.from("x")])); } catch (error) { refused = error; }
      console.log(JSON.stringify({ ...codec.describe(), size: Buffer.concat(chunks).length, code: refused?.code, hint: refused?.hint }));`;
    const hide = fileURLToPath(new URL("./hide-native.cjs", import.meta.url));
    const args = ["--require", hide, "--input-type=module", "--eval", program, Buffer.from(encoded).toString("base64")];
    const child = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(child.stderr).toBe("");
    expect(JSON.parse(child.stdout)).toEqual({
      backend: "fzstd",
      size: content.length,
      code: "E_UNSUPPORTED",
      hint: expect.stringContaining("@mongodb-js/zstd") as string,
    });
  });

  it("says which one works", async () => {
    expect(zstd().describe?.()).toEqual({ backend: "native" });
    expect(javaScript.describe?.()).toEqual({ backend: "fzstd" });
    expect(await outcome(javaScript.encode(chunked("x")))).toBe("E_UNSUPPORTED");
  });
});

function flip(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
