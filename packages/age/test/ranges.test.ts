import type { ByteRange, Codec, RangedBytes } from "@keepsake/core";
import { chunked, codecConformance, collect } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { age } from "../src/age.js";
import { generateIdentity } from "../src/keygen.js";
import { hasProgram, outcome, run, sampleNoise } from "./helpers.js";

const [ana, ben] = [await generateIdentity(), await generateIdentity()];
const CHUNK = 64 * 1024;
const SEALED = CHUNK + 16;

type Open = NonNullable<Codec["decodeRanges"]>;

/** The codec's own way to open an output. */
function openOf(codec: Codec): Open {
  if (codec.decodeRanges === undefined) throw new Error("age has ranges");
  return codec.decodeRanges.bind(codec);
}

/** Which of the cases for ranges a codec fails whose way to open an output is changed so. */
async function failed(change: (open: Open, codec: Codec) => Open): Promise<readonly string[]> {
  const changed = (codec: Codec): Codec => ({ ...codec, decodeRanges: change(openOf(codec), codec) });
  const cases = codecConformance({
    create: () => ({
      codec: changed(age({ recipients: [ana.recipient], identities: [ana.identity] })),
      deterministic: false,
      others: {
        keyless: changed(age({ recipients: [ana.recipient] })),
        stranger: changed(age({ identities: [ben.identity] })),
      },
    }),
  });
  const found: string[] = [];
  for (const one of cases.filter(({ id }) => id.startsWith("codec.ranges"))) {
    await one.run().catch(() => found.push(one.id));
  }
  return found;
}

type Read = (ranged: RangedBytes, range: ByteRange, sealed: RangedBytes) => AsyncIterable<Uint8Array>;

/** Reads a range in another way. */
const reading =
  (read: Read) =>
  (open: Open): Open =>
  async (sealed, options) => {
    const ranged = await open(sealed, options);
    return ranged && { sizeBytes: ranged.sizeBytes, read: (range) => read(ranged, range, sealed) };
  };

const wholeOf = ({ sizeBytes, read }: RangedBytes) => collect(read({ start: 0, length: sizeBytes }));

/** Bytes in memory. */
function rangedBytes(bytes: Uint8Array): RangedBytes {
  return {
    sizeBytes: bytes.length,
    read: ({ start, length }) => chunked(bytes.subarray(start, start + length), 1_009),
  };
}

describe("the kit", () => {
  it("passes ranges that are right", async () => {
    expect(await failed((open) => open)).toEqual([]);
  });

  it("finds ranges that lie elsewhere, a wrong size, and an output that does not open", async () => {
    const shifted: Read = (ranged, { start, length }) => ranged.read({ start: start + 1, length });
    expect(await failed(reading(shifted))).toEqual(["codec.ranges", "codec.ranges.damage", "codec.ranges.cut"]);
    const larger =
      (open: Open): Open =>
      async (sealed, options) => {
        const ranged = await open(sealed, options);
        return ranged && { ...ranged, sizeBytes: ranged.sizeBytes + 1 };
      };
    expect(await failed(larger)).toEqual(["codec.ranges"]);
    const none =
      (open: Open): Open =>
      async (sealed, options) =>
        (await open(sealed, options)) && undefined;
    expect(await failed(none)).toEqual([
      "codec.ranges",
      "codec.ranges.little",
      "codec.ranges.damage",
      "codec.ranges.cut",
    ]);
  });

  it("finds what reads it all for a part", async () => {
    const all: Read = async function* (ranged, { start, length }) {
      yield (await wholeOf(ranged)).subarray(start, start + length);
    };
    expect(await failed(reading(all))).toEqual(["codec.ranges.little"]);
  });

  it("finds what takes a cut for the end, and wrong bytes for right ones", async () => {
    const lenient: Read = async function* (ranged, range) {
      try {
        yield* ranged.read(range);
      } catch {
        // It ends as if all had been there.
      }
    };
    expect(await failed(reading(lenient))).toEqual(["codec.ranges.damage", "codec.ranges.cut"]);
    const spoilt: Read = async function* (ranged, range) {
      try {
        yield* ranged.read(range);
      } catch {
        yield Buffer.alloc(range.length, 1);
      }
    };
    expect(await failed(reading(spoilt))).toEqual(["codec.ranges.damage", "codec.ranges.cut"]);
  });

  it("finds what opens before it looks at its keys or its signal", async () => {
    const late =
      (open: Open): Open =>
      async (sealed) => ({
        sizeBytes: (await open(sealed).catch(() => undefined))?.sizeBytes ?? 0,
        async *read(range) {
          yield* (await open(sealed))?.read(range) ?? chunked("");
        },
      });
    const found = await failed(late);
    expect(found).toContain("codec.ranges.key");
  });
});

describe("ranges of an age file", () => {
  const codec = age({ recipients: [ana.recipient], identities: [ana.identity] });
  const content = sampleNoise(3 * CHUNK);
  const sealed = async () => Buffer.from(await collect(codec.encode(chunked(content))));
  const endOf = (bytes: Uint8Array, range: ByteRange) =>
    outcome(
      (async function* () {
        yield* (await openOf(codec)(rangedBytes(bytes)))?.read(range) ?? chunked("");
      })(),
    );

  it("are authentic each by itself: damage elsewhere is not seen, damage there is", async () => {
    const there = await sealed();
    const start = there.length - 3 * SEALED;
    const damaged = Buffer.from(there);
    damaged[start + SEALED + 5] = (damaged[start + SEALED + 5] ?? 0) ^ 1;
    expect(await endOf(damaged, { start: 0, length: CHUNK })).toBe("ok");
    expect(await endOf(damaged, { start: 2 * CHUNK, length: CHUNK })).toBe("ok");
    expect(await endOf(damaged, { start: CHUNK, length: 1 })).toBe("E_INTEGRITY");
    expect(await endOf(damaged, { start: CHUNK - 1, length: 2 })).toBe("E_INTEGRITY");
  });

  it("are not authentic at another place: neither chunks that changed places nor a cut between two", async () => {
    const there = await sealed();
    const start = there.length - 3 * SEALED;
    const chunk = (at: number) => there.subarray(start + at * SEALED, start + (at + 1) * SEALED);
    const swapped = Buffer.concat([there.subarray(0, start), chunk(1), chunk(0), chunk(2)]);
    expect(await endOf(swapped, { start: 0, length: 1 })).toBe("E_INTEGRITY");
    const cut = there.subarray(0, start + 2 * SEALED);
    expect(await endOf(cut, { start: 0, length: CHUNK })).toBe("ok");
    expect(await endOf(cut, { start: 2 * CHUNK - 1, length: 1 })).toBe("E_INTEGRITY");
    expect(await endOf(there.subarray(0, start + 2 * SEALED + 16), { start: 0, length: 1 })).toBe("E_TRUNCATED");
    expect(await endOf(there.subarray(0, start - 1), { start: 0, length: 1 })).toBe("E_TRUNCATED");
  });

  it.skipIf(!hasProgram("age"))("of a file that age has made are read too; an armored one has none", async () => {
    const plain = run("age", ["-r", ana.recipient], content);
    const ranged = await openOf(codec)(rangedBytes(plain));
    const range = { start: CHUNK - 10, length: 20 };
    expect(await collect(ranged?.read(range) ?? chunked(""))).toEqual(content.subarray(CHUNK - 10, CHUNK + 10));
    const armored = run("age", ["-a", "-r", ana.recipient], content);
    expect(await openOf(codec)(rangedBytes(armored))).toBeUndefined();
  });
});
