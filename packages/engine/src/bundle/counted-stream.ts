import type { ByteStream } from "@keepsake/core";

/** Passes bytes through and tells after each chunk how many they have been. */
export async function* countedStream(
  input: ByteStream,
  onBytes: ((done: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of input) {
    done += chunk.length;
    onBytes?.(done);
    yield chunk;
  }
}
