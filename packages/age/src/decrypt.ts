import {
  abortable,
  ByteReader,
  type ByteStream,
  type DecodeOptions,
  isKeepsakeError,
  KeepsakeError,
  type OpOptions,
  type RangedBytes,
} from "@keepsake/core";
import { Decrypter } from "age-encryption";
import { isArmored, removeArmor } from "./armor.js";
import { readHeader } from "./header.js";
import { decryptPayload, NONCE_BYTES, rangedPayload } from "./payload.js";

/** What a file may be decrypted with. */
export interface DecryptionKeys {
  /** `AGE-SECRET-KEY-…` */
  readonly identities: readonly string[];
  readonly passphrase?: string | undefined;
}

/** Decrypts an age file, armored or not; what goes wrong is said by {@link age}. */
export async function* decryptStream(
  input: ByteStream,
  keys: DecryptionKeys,
  { maxOutputBytes, signal }: DecodeOptions,
): AsyncGenerator<Uint8Array> {
  const outer = new ByteReader(abortable(input, signal));
  try {
    const reader = (await isArmored(outer)) ? new ByteReader(removeArmor(outer)) : outer;
    const fileKey = await unwrapFileKey(await readHeader(reader), keys);
    let left = maxOutputBytes;
    for await (const chunk of decryptPayload(reader, fileKey)) {
      if (chunk.length > left) throw overLimit(maxOutputBytes);
      left -= chunk.length;
      signal?.throwIfAborted();
      yield chunk;
    }
  } finally {
    await outer.close();
  }
}

/** How much is read of an age file at first, in bytes: mostly its header is in it. */
const FIRST_STEP_BYTES = 8 * 1024;

/** Opens an age file to be decrypted at any place; undefined for an armored one. */
export async function decryptRanges(
  sealed: RangedBytes,
  keys: DecryptionKeys,
  { signal }: OpOptions,
): Promise<RangedBytes | undefined> {
  const reader = new ByteReader(abortable(inSteps(sealed, { signal }), signal));
  try {
    if (await isArmored(reader)) return undefined;
    const header = await readHeader(reader);
    const fileKey = await unwrapFileKey(header, keys);
    return rangedPayload(sealed, header.length, fileKey, await reader.read(NONCE_BYTES));
  } finally {
    await reader.close();
  }
}

/** The bytes from the beginning on, each time twice as many as before: who stops early has hardly read more. */
async function* inSteps(bytes: RangedBytes, options: OpOptions): AsyncGenerator<Uint8Array> {
  for (let start = 0, length = FIRST_STEP_BYTES; start < bytes.sizeBytes; start += length, length = start) {
    yield* bytes.read({ start, length }, options);
  }
}

async function unwrapFileKey(header: Uint8Array, { identities, passphrase }: DecryptionKeys): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  if (passphrase !== undefined) decrypter.addPassphrase(passphrase);
  // Identities are asked in turn: this one is asked when no other fits.
  decrypter.addIdentity({
    unwrapFileKey: () => {
      throw new KeepsakeError("E_DECRYPT", "None of the given identities or passphrases decrypts this.");
    },
  });
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    if (isKeepsakeError(error)) throw error;
    if (error instanceof Error && error.message === "scrypt work factor is too high") {
      throw new KeepsakeError("E_LIMIT", "The passphrase of the age file was made too costly to check.", {
        cause: error,
      });
    }
    throw new KeepsakeError("E_INTEGRITY", "The header of the age file is damaged.", { cause: error });
  }
}

function overLimit(maxOutputBytes: number): KeepsakeError {
  return new KeepsakeError("E_LIMIT", `Decrypted, this is more than the ${maxOutputBytes} bytes that are allowed.`, {
    context: { max_output_bytes: maxOutputBytes },
  });
}
