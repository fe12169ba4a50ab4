import { chunked, collect } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { zstd } from "../src/zstd.js";
import { hasProgram, outcome, run, sampleNoise, sampleText } from "./helpers.js";

const KIB = 1024;
const MIB = KIB * KIB;
const unlimited = { maxOutputBytes: Number.POSITIVE_INFINITY };
const decoders = [
  ["native", zstd()],
  ["fzstd", zstd({ backend: "fzstd" })],
] as const;

const available = hasProgram("zstd");
if (!available) {
  if (process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1")
    throw new Error("The zstd program is required, and is not installed.");
  console.warn("NOT RUN: the zstd program is not installed (KEEPSAKE_REQUIRE_TOOLS=1 makes this an error).");
}

describe.runIf(available)("the zstd program", () => {
  const text = sampleText(3 * MIB);

  it("reads what we write", async () => {
    for (const content of [Buffer.alloc(0), Buffer.from("x"), text, sampleNoise(200 * KIB)]) {
      for (const codec of [
        zstd(),
        zstd({ frameBytes: 64 * KIB, level: 1 }),
        zstd({ frameBytes: 8 * MIB, level: 19 }),
      ]) {
        const encoded = await collect(codec.encode(chunked(content, 100_000)));
        run("zstd", ["-t", "-q"], encoded);
        expect(run("zstd", ["-d", "-q", "-c"], encoded).equals(content)).toBe(true);
      }
    }
  });

  it("refuses what we wrote with a bit flipped, so that the checksum is really there", async () => {
    const encoded = Buffer.from(await collect(zstd().encode(chunked(sampleNoise(1000)))));
    encoded[500] = (encoded[500] ?? 0) ^ 1;
    expect(() => run("zstd", ["-t", "-q"], encoded)).toThrow(/checksum|corrupt/i);
  });

  it.each(["-3", "-1 --no-check", "-19 --long=27", "--fast=5", "--ultra -22", "--rsyncable -3 -T2"])(
    "makes with %s what we read",
    async (args) => {
      for (const content of [Buffer.alloc(0), Buffer.from("x"), Buffer.concat([text, sampleNoise(300 * KIB)])]) {
        const encoded = run("zstd", ["-q", "-c", ...args.split(" ")], content);
        for (const [name, codec] of decoders) {
          const decoded = await collect(codec.decode(chunked(encoded, 10_000), unlimited));
          expect(Buffer.compare(decoded, content), name).toBe(0);
        }
      }
    },
  );

  for (const [name, codec] of decoders) {
    it(`makes frames that state their size what we read (${name})`, async () => {
      for (const size of [0, 10, 255, 256, 65_791, 65_792, 300_000, 9 * MIB]) {
        const content = sampleText(size);
        const encoded = run("zstd", ["-q", "-c", `--stream-size=${size}`], content);
        expect(Buffer.compare(await collect(codec.decode(chunked(encoded), unlimited)), content)).toBe(0);
      }
    });

    it(`makes several frames, with skippable ones between, what we read (${name})`, async () => {
      const skippable = Buffer.concat([Buffer.from("5e2a4d18", "hex"), Buffer.from([100, 0, 0, 0]), sampleNoise(100)]);
      const one = run("zstd", ["-q", "-c"], text);
      const two = run("zstd", ["-q", "-c", "--no-check", "--stream-size=1000"], text.subarray(0, 1000));
      const own = await collect(zstd().encode(chunked(text.subarray(0, 5000))));
      const all = Buffer.concat([skippable, one, own, skippable, skippable, two, one, skippable]);
      const content = Buffer.concat([text, text.subarray(0, 5000), text.subarray(0, 1000), text]);
      for (const size of [7, 100_000]) {
        expect(Buffer.compare(await collect(codec.decode(chunked(all, size), unlimited)), content)).toBe(0);
      }
      expect(await outcome(codec.decode(chunked(all.subarray(0, all.length - 1)), unlimited))).toBe("E_TRUNCATED");
    });

    it(`and its checksum is verified also for frames without a size (${name})`, async () => {
      const encoded = run("zstd", ["-q", "-c"], sampleNoise(50_000));
      encoded[20_000] = (encoded[20_000] ?? 0) ^ 0x10;
      expect(await outcome(codec.decode(chunked(encoded), unlimited))).toBe("E_INTEGRITY");
    });
  }
});

describe("limits", () => {
  for (const [name, codec] of decoders) {
    it(`yields no more than is allowed (${name})`, async () => {
      const bomb = await collect(zstd({ frameBytes: 8 * MIB }).encode(chunked(Buffer.alloc(32 * MIB))));
      expect(bomb.length).toBeLessThan(10 * KIB);
      for (const maxOutputBytes of [0, 1, 8 * MIB, 32 * MIB - 1]) {
        let yielded = 0;
        const counted = (async function* () {
          for await (const chunk of codec.decode(chunked(bomb), { maxOutputBytes })) {
            yielded += chunk.length;
            yield chunk;
          }
        })();
        expect(await outcome(counted)).toBe("E_LIMIT");
        expect(yielded).toBeLessThanOrEqual(maxOutputBytes);
      }
      expect(await outcome(codec.decode(chunked(bomb), { maxOutputBytes: 32 * MIB }))).toBe("ok");
    });

    it(`refuses a window over 128 MiB before it allocates it (${name})`, async () => {
      // window descriptor: 1 KiB × 2^(wd >> 3)
      expect(await outcome(codec.decode(chunked(frame({ window: 17 << 3 })), unlimited))).toBe("ok");
      expect(await outcome(codec.decode(chunked(frame({ window: (17 << 3) | 1 })), unlimited))).toBe("E_LIMIT");
      expect(await outcome(codec.decode(chunked(frame({ window: 31 << 3 })), unlimited))).toBe("E_LIMIT");
    });

    it(`believes no stated size (${name})`, async () => {
      for (const size of [2, 1000, 8 * MIB, 2 ** 40, 2 ** 62]) {
        const lie = frame({ window: 0, size });
        expect(await outcome(codec.decode(chunked(lie), unlimited))).toBe("E_INTEGRITY");
        expect(await outcome(codec.decode(chunked(lie), { maxOutputBytes: 1 }))).toBe("E_LIMIT");
      }
      // One stated byte, 64 MiB of run-length blocks.
      const run128 = Buffer.from([
        ((128 * KIB * 8) & 0xff) | 2,
        ((128 * KIB * 8) >> 8) & 0xff,
        ((128 * KIB * 8) >> 16) & 0xff,
        7,
      ]);
      const lie = frame({ window: 7 << 3, size: 1, before: Buffer.concat(Array.from({ length: 512 }, () => run128)) });
      expect(await outcome(codec.decode(chunked(lie), unlimited))).toBe("E_INTEGRITY");
    });

    it(`refuses reserved bits, reserved blocks, oversized blocks and dictionaries (${name})`, async () => {
      const good = frame({ window: 0 });
      const reserved = Buffer.from(good);
      reserved[4] = 0x08;
      expect(await outcome(codec.decode(chunked(reserved), unlimited))).toBe("E_INTEGRITY");
      expect(
        await outcome(codec.decode(chunked(frame({ window: 0, before: Buffer.from([6, 0, 0]) })), unlimited)),
      ).toBe("E_INTEGRITY");
      const oversized = Buffer.from([2, 0x40, 0, 7]);
      expect(await outcome(codec.decode(chunked(frame({ window: 0, before: oversized })), unlimited))).toBe(
        "E_INTEGRITY",
      );
      const dictionary = Buffer.concat([good.subarray(0, 4), Buffer.from([1, 0, 9]), good.subarray(6)]);
      expect(await outcome(codec.decode(chunked(dictionary), unlimited))).toBe("E_UNSUPPORTED");
    });
  }
});

/** A frame written by hand: a window, the blocks of `before`, then one raw block that holds "x". */
function frame({ window, size, before }: { window: number; size?: number; before?: Buffer }): Buffer {
  const sizeField = Buffer.alloc(size === undefined ? 0 : 8);
  if (size !== undefined) sizeField.writeBigUInt64LE(BigInt(size));
  return Buffer.concat([
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, size === undefined ? 0 : 0xc0, window]),
    sizeField,
    before ?? Buffer.alloc(0),
    Buffer.from([(1 << 3) | 1, 0, 0, 0x78]),
  ]);
}
