import type { ByteStream, Codec, OpOptions } from "@keepsake/core";
import { collect } from "../../streams.js";
import { bodyThat, noise, prose, silence, WatchedBody } from "../bodies.js";
import { failsAs, same } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { CodecSubject } from "./codec-subject.js";
import { encoded, ROOM } from "./codec-tools.js";

type Direction = readonly [
  name: string,
  chunks: readonly Buffer[],
  pass: (input: ByteStream, o?: OpOptions) => ByteStream,
];

/** Both directions, each with a long input in chunks of 64 KiB. */
async function directions(codec: Codec): Promise<readonly Direction[]> {
  const bytes = Buffer.concat([prose(200_000), noise(800_000)]);
  return [
    ["encode", pieces(bytes), (input, options) => codec.encode(input, options)],
    ["decode", pieces(await encoded(codec, bytes)), (input, options) => codec.decode(input, { ...ROOM, ...options })],
  ];
}

function pieces(bytes: Buffer): Buffer[] {
  const count = Math.ceil(bytes.length / 65_536);
  return Array.from({ length: count }, (_none, index) => bytes.subarray(index * 65_536, (index + 1) * 65_536));
}

export const STREAM_CASES: readonly PortCase<CodecSubject>[] = [
  {
    id: "codec.lazy",
    says: "Nothing is read before the first step of the output is asked for.",
    async run({ codec }) {
      for (const [name, chunks, pass] of await directions(codec)) {
        const input = new WatchedBody(chunks);
        pass(input);
        await new Promise((resolve) => setTimeout(resolve, 5));
        same(input.isOpened, false, `\`${name}\` read its input before it was asked for anything.`);
      }
    },
  },
  {
    id: "codec.input.error",
    says: "An input that fails fails the output with the very same error, and is closed.",
    async run({ codec }) {
      for (const [name, chunks, pass] of await directions(codec)) {
        const failure = new Error("the disk is on fire");
        const fail = (): never => {
          throw failure;
        };
        const input = new WatchedBody(bodyThat(chunks.slice(0, -1), fail));
        await failsAs(failure, collect(pass(input)), `The input of \`${name}\` failed.`);
        await input.closed();
      }
    },
  },
  {
    id: "codec.early-stop",
    says: "When the consumer stops early, the input is closed.",
    async run({ codec }) {
      for (const [, chunks, pass] of await directions(codec)) {
        const input = new WatchedBody(chunks);
        // What stands at the beginning of an output needs no input yet.
        for await (const _chunk of pass(input)) if (input.isOpened) break;
        await input.closed();
      }
    },
  },
  {
    id: "codec.abort-before",
    says: "With a signal that has fired, the output fails with its reason.",
    async run({ codec }) {
      const reason = new DOMException("stop", "AbortError");
      for (const [name, chunks, pass] of await directions(codec)) {
        const output = pass(new WatchedBody(chunks), { signal: AbortSignal.abort(reason) });
        await failsAs(reason, collect(output), `The signal of \`${name}\` had fired.`);
      }
    },
  },
  {
    id: "codec.abort-middle",
    says: "A signal that fires between two chunks stops the output with its reason, and the input is closed.",
    async run({ codec }) {
      for (const [name, chunks, pass] of await directions(codec)) {
        const controller = new AbortController();
        const reason = new DOMException("stop", "AbortError");
        const input = new WatchedBody(bodyThat(chunks.slice(0, 3), () => controller.abort(reason), chunks.slice(3)));
        await failsAs(reason, collect(pass(input, { signal: controller.signal })), `The signal of \`${name}\` fired.`);
        await input.closed();
      }
    },
  },
  {
    id: "codec.abort-silent",
    says: "A signal that fires while the input is silent stops the output with its reason.",
    async run({ codec }) {
      for (const [name, chunks, pass] of await directions(codec)) {
        const controller = new AbortController();
        const reason = new DOMException("stop", "AbortError");
        const input = bodyThat(chunks.slice(0, -1), () => {
          setImmediate(() => controller.abort(reason));
          return silence();
        });
        await failsAs(reason, collect(pass(input, { signal: controller.signal })), `The signal of \`${name}\` fired.`);
      }
    },
  },
];
