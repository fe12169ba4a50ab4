import { type Codec, collectBytes, streamOf } from "@keepsake/core";
import { decodeThrough, encodeThrough, suffixOf } from "../../bundle/codec-chain.js";
import type { Sealing } from "./cache-file.js";

/** More than this is not remembered, in bytes. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Gives the codecs to read a bundle of this name with, outermost first. */
export type Decoders = (fileName: string) => Promise<readonly Codec[]>;

/** Seals what is remembered as bundles are sealed: by the same codecs, for the same recipients. */
export function sealingOf(codecs: readonly Codec[], decoders: Decoders): Sealing {
  return {
    seal: (bytes) => collectBytes(encodeThrough(codecs, streamOf(bytes), {}), MAX_BYTES),
    async open(sealed) {
      const reading = await decoders(`memo.tar${suffixOf(codecs)}`);
      return await collectBytes(decodeThrough(reading, streamOf(sealed), { maxOutputBytes: MAX_BYTES }), MAX_BYTES);
    },
  };
}
