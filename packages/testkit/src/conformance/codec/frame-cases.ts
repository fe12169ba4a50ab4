import type { FrameCodec } from "@keepsake/core";
import { gathered, noise, prose } from "../bodies.js";
import { check, same, sameBytes } from "../expectations.js";
import type { PortCase } from "../port-case.js";
import type { CodecSubject } from "./codec-subject.js";
import { decoded, ROOM } from "./codec-tools.js";
import { chunked } from "../../streams.js";

const contentsFor = ({ contentBytes }: FrameCodec): readonly Uint8Array[] => [
  prose(Math.min(30_000, contentBytes)),
  noise(1),
  Buffer.alloc(contentBytes),
  noise(Math.min(5_000, contentBytes)),
];

const readEndOf = (bytes: Uint8Array) => (count: number) =>
  Promise.resolve(bytes.subarray(Math.max(0, bytes.length - count)));

/** A codec without frames is asked for none. */
const needs = {
  capability: "frames",
  async inverse({ codec }: CodecSubject): Promise<void> {
    same(codec.frames, undefined, "A codec without frames has no member for them.");
  },
};

/** What makes it possible to put an output together from parts. */
export const FRAME_CASES: readonly PortCase<CodecSubject>[] = [
  {
    id: "codec.frames",
    says: "Frames depend on their content alone: in any order, begun at the same time, they decode to their contents in that order.",
    needs,
    async run({ codec }) {
      const { frames } = codec;
      check(frames !== undefined && frames.contentBytes > 0 && frames.concurrency > 0, "It has frames of some size.");
      const contents = contentsFor(frames);
      const before = contents.map((content) => Buffer.from(content));
      const made = await Promise.all(contents.map((content) => frames.encodeFrame(content)));
      same(
        contents.map((content) => Buffer.from(content)),
        before,
        "A content was changed.",
      );
      for (const order of [
        [0, 1, 2, 3],
        [3, 0, 1],
        [2, 2],
      ]) {
        const parts = order.map((at) => made[at] ?? new Uint8Array(0));
        const expected = Buffer.concat(order.map((at) => contents[at] ?? new Uint8Array(0)));
        sameBytes(await decoded(codec, Buffer.concat(parts)), expected, `The frames ${order.join(", ")} differ.`);
      }
    },
  },
  {
    id: "codec.frames.index",
    says: "The index stands behind the last frame, decoding passes it over, and it tells how long each frame is; of another end it tells nothing.",
    needs,
    async run({ codec }) {
      const { frames } = codec;
      check(frames !== undefined, "It has frames.");
      const contents = contentsFor(frames);
      const made = await Promise.all(contents.map((content) => frames.encodeFrame(content)));
      const sizes = made.map((frame, at) => ({ contentBytes: contents[at]?.length ?? 0, encodedBytes: frame.length }));
      const whole = Buffer.concat([...made, frames.index(sizes)]);
      sameBytes(await decoded(codec, whole), Buffer.concat(contents), "With its index it decodes otherwise.");
      same(await frames.readIndex(readEndOf(whole)), sizes, "The index that is read is not the one that was written.");
      same(await frames.readIndex(readEndOf(Buffer.concat(made))), undefined, "There is an index where there is none.");
      const part = made[2] ?? new Uint8Array(0);
      sameBytes(
        await gathered(codec.decode(chunked(part), ROOM)),
        contents[2] ?? new Uint8Array(0),
        "One by one it differs.",
      );
    },
  },
];
