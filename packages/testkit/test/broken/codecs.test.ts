import { type ByteStream, type Codec, KeepsakeError } from "@keepsake/core";
import { describe } from "vitest";
import { codecConformance, type CodecSubject } from "../../src/index.js";
import { type Broken, expectBroken } from "./expect-broken.js";
import { frameCodec, type FrameCodecDefects } from "./frame-codec.js";

const right = (): CodecSubject => ({ codec: frameCodec(), deterministic: true, others: null });
const flawed = (defects: FrameCodecDefects) => (): CodecSubject => ({ ...right(), codec: frameCodec(defects) });
const broken = (change: (codec: Codec) => Partial<Codec>) => (): CodecSubject => {
  const codec = frameCodec();
  return { ...right(), codec: { ...codec, ...change(codec) } };
};

const mask = (key: number) =>
  async function* (input: ByteStream): ByteStream {
    for await (const chunk of input) {
      const masked = Buffer.from(chunk);
      for (let at = 0; at < masked.length; at++) masked[at] = (masked[at] ?? 0) ^ key;
      yield masked;
    }
  };

/** No encryption at all but in its manners: a mask, and before it one byte that tells the key. */
function maskCodec(
  key: number | undefined,
  defects: { readonly isClear?: boolean; readonly anyKey?: boolean } = {},
): Codec {
  const frames = frameCodec();
  return {
    ...frames,
    id: "mask",
    suffix: ".mask",
    encrypts: true,
    describe: () => ({ scheme: "mask", recipientsFingerprint: [String(key)] }),
    async *encode(input, options) {
      yield Buffer.from([key ?? 0]);
      yield* mask(defects.isClear === true ? 0 : (key ?? 0))(frames.encode(input, options));
    },
    async *decode(input, options) {
      options.signal?.throwIfAborted();
      const iterator = input[Symbol.asyncIterator]();
      const rest = async function* (first: Uint8Array): ByteStream {
        try {
          yield first;
          for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) yield step.value;
        } finally {
          await iterator.return?.();
        }
      };
      let first = new Uint8Array(0);
      while (first.length === 0) {
        const step = await iterator.next();
        if (step.done === true) throw new KeepsakeError("E_TRUNCATED", "There is nothing.");
        first = Uint8Array.from(step.value);
      }
      if (key === undefined) throw new KeepsakeError("E_IDENTITY", "There is no key.");
      if (first[0] !== key && defects.anyKey !== true && first[0] !== undefined && first[0] < 0x20) {
        throw new KeepsakeError("E_DECRYPT", "The key does not fit.");
      }
      yield* frames.decode(mask(defects.isClear === true ? 0 : key)(rest(first.subarray(1))), options);
    },
  };
}

const keyed = (defects: Parameters<typeof maskCodec>[1]) => (): CodecSubject => ({
  codec: maskCodec(0x11, defects),
  deterministic: true,
  others: { keyless: maskCodec(undefined, defects), stranger: maskCodec(0x12, defects) },
});

const CODECS: readonly Broken<CodecSubject>[] = [
  {
    wrong: "drops the last frame",
    make: flawed({ dropsLastFrame: true }),
    fails: [
      "codec.chunks",
      "codec.chunks.kept",
      "codec.concurrent",
      "codec.limit",
      "codec.round-trip.borders",
      "codec.round-trip.contents",
      "codec.round-trip.small",
      "codec.stream",
    ],
  },
  {
    wrong: "takes a cut for the end",
    make: flawed({ takesCuts: true }),
    fails: ["codec.cut", "codec.cut.large", "codec.flip"],
  },
  { wrong: "does not look behind the end", make: flawed({ takesTails: true }), fails: ["codec.trailing"] },
  { wrong: "has no limit", make: flawed({ hasNoLimit: true }), fails: ["codec.limit"] },
  { wrong: "has no checksum", make: flawed({ hasNoChecksum: true }), fails: ["codec.flip", "codec.flip.large"] },
  {
    wrong: "calls itself deterministic and follows the chunks",
    make: flawed({ followsChunks: true }),
    fails: ["codec.deterministic"],
  },
  {
    wrong: "gives one byte more than is allowed",
    make: broken((codec) => ({
      decode: (input, options) => codec.decode(input, { ...options, maxOutputBytes: options.maxOutputBytes + 1 }),
    })),
    fails: ["codec.limit"],
  },
  {
    wrong: "hands over one buffer again and again",
    make: broken((codec) => ({
      async *decode(input, options) {
        const buffer = Buffer.alloc(65_536);
        for await (const chunk of codec.decode(input, options)) {
          buffer.set(chunk);
          yield buffer.subarray(0, chunk.length);
        }
      },
    })),
    fails: ["codec.chunks.kept"],
  },
  {
    wrong: "writes into its input",
    make: broken((codec) => ({
      async *encode(input, options) {
        yield* codec.encode(
          (async function* () {
            for await (const chunk of input) {
              yield Uint8Array.from(chunk);
              chunk.fill(0);
            }
          })(),
          options,
        );
      },
    })),
    fails: ["codec.input.kept"],
  },
  {
    wrong: "shares a buffer between its calls",
    make: broken((codec) => {
      const shared: Uint8Array[] = [];
      return {
        async *encode(input, options) {
          shared.length = 0;
          for await (const chunk of codec.encode(input, options)) {
            shared.push(chunk);
            await new Promise((resolve) => setImmediate(resolve));
            const next = shared.pop();
            if (next !== undefined) yield next;
          }
        },
      };
    }),
    fails: ["codec.concurrent"],
  },
  {
    wrong: "reads before it is asked",
    make: broken((codec) => ({
      encode(input, options) {
        const iterator = codec.encode(input, options)[Symbol.asyncIterator]();
        const early = [iterator.next(), iterator.next()];
        for (const step of early) step.catch(() => undefined);
        return (async function* () {
          try {
            for (;;) {
              const step = await (early.shift() ?? iterator.next());
              if (step.done === true) return;
              yield step.value;
            }
          } finally {
            await iterator.return?.();
          }
        })();
      },
    })),
    fails: ["codec.lazy"],
  },
  {
    wrong: "makes another error of its input's",
    make: broken((codec) => ({
      async *encode(input, options) {
        try {
          yield* codec.encode(input, options);
        } catch (error) {
          throw options?.signal?.aborted === true ? error : new KeepsakeError("E_IO", "failed", { cause: error });
        }
      },
    })),
    fails: ["codec.input.error"],
  },
  {
    wrong: "does not close its input",
    make: broken((codec) => ({
      async *decode(input, options) {
        const iterator = input[Symbol.asyncIterator]();
        yield* codec.decode({ [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) }, options);
      },
    })),
    fails: [],
    hangs: ["codec.early-stop", "codec.abort-middle"],
  },
  {
    wrong: "does not look at its signal",
    make: broken((codec) => ({
      encode: (input) => codec.encode(input),
      decode: (input, { maxOutputBytes }) => codec.decode(input, { maxOutputBytes }),
    })),
    fails: ["codec.abort-before", "codec.abort-middle"],
    hangs: ["codec.abort-silent"],
  },
  {
    wrong: "throws errors of its own kind",
    make: broken((codec) => ({
      async *decode(input, options) {
        try {
          yield* codec.decode(input, options);
        } catch (error) {
          throw error instanceof KeepsakeError ? new Error(error.message) : error;
        }
      },
    })),
    fails: [
      "codec.cut",
      "codec.cut.large",
      "codec.flip",
      "codec.flip.large",
      "codec.foreign",
      "codec.limit",
      "codec.trailing",
    ],
  },
  {
    wrong: "holds all of a stream",
    make: broken((codec) => ({
      async *encode(input, options) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of codec.encode(input, options)) chunks.push(chunk);
        yield* chunks;
      },
    })),
    fails: ["codec.bounded-memory"],
    options: { streamBytes: 64 * 1024 * 1024 },
  },
  {
    wrong: "describes what is no JSON",
    make: broken(() => ({ describe: () => ({ made: new Date() }) as never })),
    fails: ["codec.describe"],
  },
  { wrong: "calls plain text encrypted", make: keyed({ isClear: true }), fails: ["codec.secret"] },
  { wrong: "decrypts with any key", make: keyed({ anyKey: true }), fails: ["codec.secret"] },
];

describe("the codec suite", () => {
  expectBroken(codecConformance, right, CODECS);
});

describe("the codec suite, of one that encrypts", () => {
  expectBroken(codecConformance, keyed({}), []);
});
