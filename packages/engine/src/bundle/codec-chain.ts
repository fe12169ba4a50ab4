import type { ByteStream, Codec, OpOptions } from "@keepsake/core";
import type { Phase, PhaseTimes } from "../snapshot/phase-times.js";

/** `input` through every codec in order. */
export function encodeThrough(
  codecs: readonly Codec[],
  input: ByteStream,
  { signal, phases }: OpOptions & { readonly phases?: PhaseTimes | undefined },
): ByteStream {
  return codecs.reduce((stream, codec, index) => {
    const encoded = codec.encode(stream, { signal });
    return phases?.waitedFor(phaseOf(codec), phaseBehind(codecs.slice(index + 1)), encoded) ?? encoded;
  }, input);
}

/** What waits for what comes before these codecs. */
export function phaseBehind([next]: readonly Codec[]): Phase {
  return next === undefined ? "store" : phaseOf(next);
}

function phaseOf(codec: Codec): Phase {
  return codec.encrypts === true ? "encrypt" : "compress";
}

/** `input` back through the codecs, outermost first, each held to `maxOutputBytes`. */
export function decodeThrough(
  codecs: readonly Codec[],
  input: ByteStream,
  options: { readonly maxOutputBytes: number; readonly signal?: AbortSignal | undefined },
): ByteStream {
  return codecs.reduce((stream, codec) => codec.decode(stream, options), input);
}

/** What the codecs append to a bundle's name: ".zst.age". */
export function suffixOf(codecs: readonly Codec[]): string {
  return codecs.map((codec) => codec.suffix).join("");
}
