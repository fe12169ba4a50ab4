import type { Codec, ErrorCode } from "@keepsake/core";
import { chunked } from "../../streams.js";
import { noise, prose } from "../bodies.js";
import { check, same, sameBytes } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { CodecSubject } from "./codec-subject.js";
import { encoded, endingOf, ROOM, spread } from "./codec-tools.js";

const SMALL = Buffer.concat([prose(300), noise(40)]);
const SECRET = Buffer.from("the plain text of a note, ".repeat(40));
const LARGE = Buffer.concat([prose(200_000), noise(100_000)]);

/** What a codec that authenticates cannot tell from damage: where a cipher's last block ends. */
function cutCodes({ encrypts = false }: Codec): readonly ErrorCode[] {
  return encrypts ? ["E_TRUNCATED", "E_INTEGRITY"] : ["E_TRUNCATED"];
}

function tailCodes({ encrypts = false }: Codec): readonly ErrorCode[] {
  return encrypts ? ["E_TRAILING_DATA", "E_INTEGRITY"] : ["E_TRAILING_DATA"];
}

const DAMAGE_CODES: readonly ErrorCode[] = [
  ...(["E_INTEGRITY", "E_TRUNCATED", "E_TRAILING_DATA", "E_LIMIT", "E_UNSUPPORTED"] as const),
  ...(["E_DECRYPT", "E_IDENTITY"] as const),
];

async function cutAt(codec: Codec, content: Buffer, lengths: readonly number[], there: Buffer): Promise<void> {
  for (const length of lengths) {
    const { bytes, code } = await endingOf(codec.decode(chunked(there.subarray(0, length), 4_096), ROOM));
    const expected = cutCodes(codec).join(" or ");
    const told = `Cut after ${length} of ${there.length} bytes it ended with ${code ?? "no error"}, not ${expected}.`;
    check(code !== undefined && cutCodes(codec).includes(code), told);
    sameBytes(bytes, content.subarray(0, bytes.length), `Cut after ${length} bytes it gave wrong ones.`);
  }
}

async function flipAt(codec: Codec, content: Buffer, bits: readonly number[], there: Buffer): Promise<void> {
  for (const bit of bits) {
    const damaged = Buffer.from(there);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const { bytes, code } = await endingOf(codec.decode(chunked(damaged, 4_096), { maxOutputBytes: 2 ** 24 }));
    if (code === undefined) sameBytes(bytes, content, `With bit ${bit} flipped it ended well, with other bytes.`);
    else check(DAMAGE_CODES.includes(code), `With bit ${bit} flipped it failed with ${code}.`);
  }
}

export const DAMAGE_CASES: readonly PortCase<CodecSubject>[] = [
  {
    id: "codec.cut",
    says: "An input cut at any length fails with E_TRUNCATED (one that encrypts: or E_INTEGRITY), after right bytes alone.",
    async run({ codec }) {
      const there = await encoded(codec, SMALL);
      await cutAt(codec, SMALL, spread(there.length, 2_000), there);
    },
  },
  {
    id: "codec.cut.large",
    says: "So does a larger one, cut at a sample of lengths.",
    async run({ codec }) {
      const there = await encoded(codec, LARGE);
      await cutAt(codec, LARGE, spread(there.length, 12), there);
    },
  },
  {
    id: "codec.flip",
    says: "With a bit flipped anywhere, decoding fails with a code that says so, or gives the very same bytes.",
    async run({ codec }) {
      const there = await encoded(codec, SMALL);
      await flipAt(codec, SMALL, spread(there.length * 8, 1_000), there);
    },
  },
  {
    id: "codec.flip.large",
    says: "So it does for a larger input, with a sample of bits flipped.",
    async run({ codec }) {
      const there = await encoded(codec, LARGE);
      await flipAt(codec, LARGE, spread(there.length * 8, 12), there);
    },
  },
  {
    id: "codec.trailing",
    says: "An input that goes on after its end fails with E_TRAILING_DATA (one that encrypts: or E_INTEGRITY), though by one byte.",
    async run({ codec }) {
      for (const content of [Buffer.alloc(0), SMALL, LARGE]) {
        const there = await encoded(codec, content);
        for (const tail of [Buffer.from("x"), Buffer.alloc(1), Buffer.from("garbage that goes on"), noise(70_000, 5)]) {
          for (const size of [Number.POSITIVE_INFINITY, 1_009]) {
            const longer = Buffer.concat([there, tail]);
            const { code } = await endingOf(codec.decode(chunked(longer, size), ROOM));
            const told = `Followed by ${tail.length} bytes it ended with ${code ?? "no error"}.`;
            check(code !== undefined && tailCodes(codec).includes(code), told);
          }
        }
      }
    },
  },
  {
    id: "codec.foreign",
    says: "An input of another format fails with E_INTEGRITY, and gives nothing.",
    async run({ codec }) {
      for (const foreign of [Buffer.from("this is nothing of the kind, and goes on for a while"), noise(100_000, 6)]) {
        const { bytes, code } = await endingOf(codec.decode(chunked(foreign, 1_009), ROOM));
        same([code, bytes.length], ["E_INTEGRITY", 0], "How it ended, and how many bytes it gave.");
      }
    },
  },
  {
    id: "codec.limit",
    says: "As many bytes as `maxOutputBytes` allows are given; of more, E_LIMIT comes before any that is too many.",
    async run({ codec }) {
      for (const content of [SMALL, LARGE, Buffer.alloc(8 * 1024 * 1024)]) {
        const there = await encoded(codec, content);
        const { bytes, code } = await endingOf(codec.decode(chunked(there), { maxOutputBytes: content.length }));
        same(code, undefined, "It failed although it gives no more than is allowed.");
        sameBytes(bytes, content, "It came back otherwise.");
        for (const maxOutputBytes of [0, 1, content.length >> 1, content.length - 1]) {
          const ending = await endingOf(codec.decode(chunked(there), { maxOutputBytes }));
          same(ending.code, "E_LIMIT", `How it ended where ${maxOutputBytes} bytes are allowed.`);
          check(ending.bytes.length <= maxOutputBytes, `It gave ${ending.bytes.length} bytes of ${maxOutputBytes}.`);
        }
      }
    },
  },
  {
    id: "codec.secret",
    says: "What is encrypted shows nothing of its content; without a key it is E_IDENTITY, with one that does not fit E_DECRYPT.",
    needs: {
      capability: "keys",
      async inverse({ codec }) {
        const there = await encoded(codec, SECRET);
        same(there.includes("plain text") && codec.encrypts === true, false, "The content can be read in the output.");
      },
    },
    async run({ codec, others }) {
      const there = await encoded(codec, SECRET);
      same(there.includes("plain text"), false, "The content can be read in the output.");
      for (const [other, expected] of [
        [others?.keyless, "E_IDENTITY"],
        [others?.stranger, "E_DECRYPT"],
      ] as const) {
        check(other !== undefined, "The subject of a codec that encrypts has `others`.");
        const { bytes, code } = await endingOf(other.decode(chunked(there), ROOM));
        same([code, bytes.length], [expected, 0], "How it ended, and how many bytes it gave.");
      }
    },
  },
];
