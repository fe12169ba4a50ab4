import type { ByteStream, Codec } from "@keepsake/core";

/** `input` through every codec in order. */
export function encodeThrough(codecs: readonly Codec[], input: ByteStream, signal?: AbortSignal): ByteStream {
  return codecs.reduce((stream, codec) => codec.encode(stream, { signal }), input);
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
