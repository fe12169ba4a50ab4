import { type ByteStream, digestOf, HashedStream } from "@keepsake/core";
import { chunked } from "../../streams.js";
import { bodyThat, gathered, longBody, noise, prose } from "../bodies.js";
import { check, same, sameBytes } from "../expectations.js";
import { MAX_HELD_BYTES, MemoryWatch } from "../memory-watch.js";
import type { PortCase } from "../port-case.js";
import type { CodecSubject } from "./codec-subject.js";
import { decoded, encoded, ROOM } from "./codec-tools.js";

const KIB = 1024;
const MIB = 1024 * KIB;
/** Both directions together, each with some frames of some megabytes in flight for each processor. */

async function comesBack({ codec }: CodecSubject, bytes: Uint8Array, what: string, chunkBytes?: number): Promise<void> {
  const there = await encoded(codec, bytes, chunkBytes);
  sameBytes(await decoded(codec, there, chunkBytes), bytes, `${what} came back otherwise.`);
}

/** The very chunk, not a copy. */
async function* asStream(chunk: Uint8Array): ByteStream {
  yield chunk;
}

export const ROUND_TRIP_CASES: readonly PortCase<CodecSubject>[] = [
  {
    id: "codec.round-trip.small",
    says: "Nothing, one byte and a few bytes come back; no chunk and empty chunks are the same as nothing.",
    async run(subject) {
      for (const size of [0, 1, 2, 3, 16, 100]) await comesBack(subject, noise(size), `${size} bytes`);
      await comesBack(subject, Buffer.from([0]), "A zero byte");
      const { codec } = subject;
      const gaps = bodyThat([new Uint8Array(0), Buffer.from("a"), new Uint8Array(0)], () => undefined, [
        Buffer.from("b"),
      ]);
      const there = await gathered(codec.encode(gaps));
      same((await decoded(codec, there)).toString(), "ab", "Bytes between empty chunks.");
      const split = [new Uint8Array(0), there.subarray(0, 1), new Uint8Array(0), there.subarray(1)];
      const back = await gathered(
        codec.decode(
          bodyThat(split, () => undefined),
          ROOM,
        ),
      );
      same(back.toString(), "ab", "An input with empty chunks.");
    },
  },
  {
    id: "codec.round-trip.borders",
    says: "Sizes just below, at and above the usual borders of blocks and frames come back.",
    async run(subject) {
      for (const border of [4 * KIB, 64 * KIB, 128 * KIB, MIB, 4 * MIB]) {
        for (const size of [border - 1, border, border + 1]) await comesBack(subject, noise(size), `${size} bytes`);
      }
    },
  },
  {
    id: "codec.round-trip.contents",
    says: "What compresses well, what does not compress and what is all the same come back.",
    async run(subject) {
      await comesBack(subject, prose(700_000), "Text");
      await comesBack(subject, noise(700_000), "Noise");
      await comesBack(subject, Buffer.alloc(3 * MIB), "Zeros");
    },
  },
  {
    id: "codec.chunks",
    says: "On both sides chunks may be single bytes, of an odd size, or one of many megabytes.",
    async run(subject) {
      await comesBack(subject, Buffer.concat([prose(9_000), noise(3_000)]), "Bytes given one at a time", 1);
      await comesBack(subject, prose(400_000), "Bytes given in odd chunks", 1_009);
      await comesBack(subject, noise(17 * MIB), "Bytes given in one huge chunk");
    },
  },
  {
    id: "codec.chunks.kept",
    says: "A chunk that was handed over does not change when the next is asked for, in either direction.",
    async run({ codec }) {
      const bytes = Buffer.concat([prose(500_000), noise(500_000)]);
      const keep = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => {
        const given: { readonly chunk: Uint8Array; readonly copy: Buffer }[] = [];
        for await (const chunk of stream) given.push({ chunk, copy: Buffer.from(chunk) });
        for (const { chunk, copy } of given) sameBytes(chunk, copy, "A chunk changed after it was handed over.");
        return Buffer.concat(given.map(({ copy }) => copy));
      };
      const there = await keep(codec.encode(chunked(bytes, 10_007)));
      sameBytes(await keep(codec.decode(chunked(there, 10_007), ROOM)), bytes, "It came back otherwise.");
    },
  },
  {
    id: "codec.input.kept",
    says: "The chunks of the input are not changed, in either direction.",
    async run({ codec }) {
      const bytes = prose(200_000);
      const there = await encoded(codec, bytes);
      for (const [input, pass] of [
        [bytes, (given: Uint8Array) => codec.encode(asStream(given))],
        [there, (given: Uint8Array) => codec.decode(asStream(given), ROOM)],
      ] as const) {
        const given = Buffer.from(input);
        await digestOf(pass(given));
        sameBytes(given, input, "A chunk of the input was changed.");
      }
    },
  },
  {
    id: "codec.deterministic",
    says: "Equal input gives equal output, however it is cut into chunks.",
    needs: {
      capability: "deterministic",
      async inverse({ codec }) {
        const bytes = prose(50_000);
        for (const size of [50_000, 999])
          sameBytes(await decoded(codec, await encoded(codec, bytes, size)), bytes, "It came back otherwise.");
      },
    },
    async run({ codec }) {
      const bytes = Buffer.concat([prose(300_000), noise(100_000)]);
      const whole = await encoded(codec, bytes);
      for (const size of [Number.POSITIVE_INFINITY, 65_536, 1_009, 100_001]) {
        sameBytes(await encoded(codec, bytes, size), whole, `The output differs for chunks of ${size} bytes.`);
      }
    },
  },
  {
    id: "codec.concurrent",
    says: "Eight streams may be encoded and decoded at the same time: nothing is shared between calls.",
    async run(subject) {
      const bodies = Array.from({ length: 8 }, (_none, index) => prose(100_000 + index, index + 1));
      await Promise.all(bodies.map((body, index) => comesBack(subject, body, `Stream ${index}`, 3_001)));
    },
  },
  {
    id: "codec.stream",
    says: "A stream of 64 MiB (with `large` of 5 GiB) comes back, through a pipe that is never whole in memory.",
    async run({ codec }, { streamBytes }) {
      const sent = new HashedStream(longBody(streamBytes));
      const back = await digestOf(codec.decode(codec.encode(sent), { maxOutputBytes: streamBytes }));
      same(back, sent.digest, "It came back otherwise.");
    },
  },
  {
    id: "codec.bounded-memory",
    says: "Of a stream twice as long less than 96 MiB are held at any time, by both directions together.",
    async run({ codec }, { streamBytes }) {
      const watch = new MemoryWatch(8);
      const there = codec.encode(longBody(2 * streamBytes, watch.look));
      for await (const _chunk of codec.decode(there, { maxOutputBytes: 2 * streamBytes }));
      const grown = Math.round(watch.grownBytes / MIB);
      check(watch.grownBytes < MAX_HELD_BYTES, `${grown} MiB more were held while a stream passed through.`);
    },
  },
];
