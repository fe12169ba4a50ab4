import { HashedStream, KeepsakeError } from "@keepsake/core";

/** The bytes that were checked are the bytes that are stored, even when the file is replaced in between. */
export async function* sameBytes(
  body: AsyncIterable<Uint8Array>,
  sha256: string,
  label: string,
): AsyncGenerator<Uint8Array> {
  const hashed = new HashedStream(body);
  yield* hashed;
  if (hashed.digest.sha256 === sha256) return;
  throw new KeepsakeError("E_INTEGRITY", `${label} changed while it was imported.`);
}
