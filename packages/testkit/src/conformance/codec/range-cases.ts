import type { ByteRange, Codec, ErrorCode, RangedBytes } from "@keepsake/core";
import { gathered, noise, prose } from "../bodies.js";
import { check, failsAs, failsWith, isAbsent, sameBytes } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { CodecSubject } from "./codec-subject.js";
import { encoded, type Ending, endingOf, spread } from "./codec-tools.js";

const LARGE = Buffer.concat([prose(200_000), noise(200_000)]);
const BORDER = 64 * 1024;

/** Bytes of which it is known how many were read. */
class CountedBytes implements RangedBytes {
  readonly sizeBytes: number;
  readonly #bytes: Uint8Array;
  bytesRead = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.sizeBytes = bytes.length;
  }

  async *read({ start, length }: ByteRange): AsyncGenerator<Uint8Array> {
    for (let at = start; at < Math.min(start + length, this.sizeBytes); at += 4_096) {
      const chunk = this.#bytes.subarray(at, Math.min(at + 4_096, start + length));
      this.bytesRead += chunk.length;
      yield chunk;
    }
  }
}

async function opened(codec: Codec, bytes: RangedBytes): Promise<RangedBytes> {
  const ranged = await codec.decodeRanges?.(bytes);
  check(ranged !== undefined, "What it has encoded itself it opens at any place.");
  return ranged;
}

/** How it ends to open an output, and to read a range of it. */
async function endingIn(codec: Codec, there: Uint8Array, range: ByteRange): Promise<Ending> {
  return endingOf(
    (async function* () {
      yield* (await opened(codec, new CountedBytes(there))).read(range);
    })(),
  );
}

function rangesOf(size: number): ByteRange[] {
  return [
    { start: 0, length: size },
    { start: 0, length: 1 },
    { start: size - 1, length: 1 },
    { start: size >> 1, length: 0 },
    { start: BORDER - 1, length: 2 },
    { start: BORDER, length: BORDER },
    { start: 1, length: 3 * BORDER },
    { start: size - 5, length: 50 },
    { start: size, length: 5 },
    { start: size + 5, length: 5 },
  ];
}

const DAMAGE_CODES: readonly ErrorCode[] = ["E_INTEGRITY", "E_TRUNCATED", "E_UNSUPPORTED", "E_LIMIT", "E_DECRYPT"];

/** One that can be decoded from the beginning alone. */
const needs = {
  capability: "ranges",
  async inverse({ codec }: CodecSubject): Promise<void> {
    isAbsent(codec, "decodeRanges", "A codec without ranges has no member for them.");
  },
};

/** What makes it possible to read a part of an output. */
export const RANGE_CASES: readonly PortCase<CodecSubject>[] = [
  {
    id: "codec.ranges",
    says: "Any range of an output gives the bytes that are there when all is decoded; past the end it ends at the end.",
    needs,
    async run({ codec }) {
      for (const content of [Buffer.alloc(0), prose(1), LARGE.subarray(0, 2 * BORDER), LARGE]) {
        const ranged = await opened(codec, new CountedBytes(await encoded(codec, content)));
        check(ranged.sizeBytes === content.length, `Of ${content.length} bytes it says ${ranged.sizeBytes}.`);
        for (const { start, length } of rangesOf(content.length).filter((range) => range.start >= 0)) {
          const told = `The range from ${start} of ${content.length} bytes, ${length} bytes long, differs.`;
          sameBytes(await gathered(ranged.read({ start, length })), content.subarray(start, start + length), told);
        }
      }
    },
  },
  {
    id: "codec.ranges.little",
    says: "To open a large output and to read some of its bytes, less than half of it is read.",
    needs,
    async run({ codec }) {
      const content = noise(1024 * 1024);
      for (const start of [0, content.length >> 1, content.length - 10]) {
        const counted = new CountedBytes(await encoded(codec, content));
        await gathered((await opened(codec, counted)).read({ start, length: 10 }));
        const told = `For ten bytes from ${start} it read ${counted.bytesRead} of ${counted.sizeBytes}.`;
        check(counted.bytesRead < counted.sizeBytes / 2, told);
      }
    },
  },
  {
    id: "codec.ranges.damage",
    says: "With a bit flipped anywhere, a range gives its right bytes, or fails with a code that says so after no wrong ones.",
    needs,
    async run({ codec }) {
      const there = await encoded(codec, LARGE);
      const small = { start: 3 * BORDER + 7, length: 50 };
      for (const bit of spread(there.length * 8, 120)) {
        const damaged = Buffer.from(there);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        for (const { start, length } of [small, { start: 0, length: LARGE.length }]) {
          const { bytes, code } = await endingIn(codec, damaged, { start, length });
          const right = LARGE.subarray(start, code === undefined ? start + length : start + bytes.length);
          sameBytes(bytes, right, `With bit ${bit} flipped a range gave other bytes.`);
          check(code === undefined || DAMAGE_CODES.includes(code), `With bit ${bit} flipped it failed with ${code}.`);
        }
      }
    },
  },
  {
    id: "codec.ranges.cut",
    says: "Of an output that was cut anywhere no last byte can be read: to open it fails, or to read it to its end.",
    needs,
    async run({ codec }) {
      const there = await encoded(codec, LARGE);
      for (const length of spread(there.length, 120)) {
        const ending = await endingIn(codec, there.subarray(0, length), { start: 0, length: LARGE.length });
        const { bytes, code } = ending;
        const told = `Cut after ${length} of ${there.length} bytes it ended with ${code ?? "no error"}.`;
        check(code !== undefined && DAMAGE_CODES.includes(code), told);
        sameBytes(bytes, LARGE.subarray(0, bytes.length), `Cut after ${length} bytes it gave wrong ones.`);
      }
    },
  },
  {
    id: "codec.ranges.key",
    says: "Of one that encrypts nothing is opened without a key (E_IDENTITY) or with one that does not fit (E_DECRYPT); and nothing when the signal has fired.",
    needs,
    async run({ codec, others }) {
      const bytes = new CountedBytes(await encoded(codec, LARGE));
      const reason = new Error("stopped");
      const stopped = Promise.resolve(codec.decodeRanges?.(bytes, { signal: AbortSignal.abort(reason) }));
      await failsAs(reason, stopped, "Opened when its signal had fired.");
      if (others === null) return;
      const open = async (other: Codec) => other.decodeRanges?.(bytes);
      await failsWith("E_IDENTITY", open(others.keyless), "Opened without a key.");
      await failsWith("E_DECRYPT", open(others.stranger), "Opened with a key that does not fit.");
    },
  },
];
