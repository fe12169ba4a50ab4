import { abortable, type ByteStream, KeepsakeError, type OpOptions } from "@keepsake/core";
import { Encrypter } from "age-encryption";

const PIECE_BYTES = 64 * 1024;

/** Whom a file is encrypted for: recipients, or whoever knows a passphrase. */
export type EncryptionTarget =
  | { readonly recipients: readonly string[] }
  | { readonly passphrase: string; readonly scryptWorkFactor: number };

/** Encrypts to an age file, not armored. */
export async function* encryptStream(
  input: ByteStream,
  target: EncryptionTarget,
  { signal }: OpOptions,
): AsyncGenerator<Uint8Array> {
  const stop = new AbortController();
  const signals = signal === undefined ? [stop.signal] : [stop.signal, signal];
  const iterator = pieces(abortable(input, AbortSignal.any(signals)));
  const source = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const step = await iterator.next();
        if (step.done === true) controller.close();
        else controller.enqueue(step.value);
      },
      async cancel() {
        await iterator.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  const output = (await encrypt(target, source)).getReader();
  try {
    for (let step = await output.read(); !step.done; step = await output.read()) {
      signal?.throwIfAborted();
      if (step.value.length > 0) yield step.value;
    }
  } finally {
    // The streams read ahead: a silent input must not keep a consumer who has had enough.
    stop.abort();
    await output.cancel().catch(() => undefined);
    await iterator.return(undefined);
  }
}

async function encrypt(
  target: EncryptionTarget,
  source: ReadableStream<Uint8Array>,
): Promise<ReadableStream<Uint8Array>> {
  const encrypter = new Encrypter();
  if ("passphrase" in target) {
    encrypter.setPassphrase(target.passphrase);
    encrypter.setScryptWorkFactor(target.scryptWorkFactor);
  } else {
    for (const recipient of target.recipients) encrypter.addRecipient(recipient);
  }
  try {
    return await encrypter.encrypt(source);
  } catch (error) {
    // Well-formed and yet unusable: a point of low order, for example.
    throw new KeepsakeError("E_RECIPIENT", "Nothing can be encrypted to one of the recipients.", { cause: error });
  }
}

/** Small pieces, with other work let in between: a piece is encrypted in one go, on this thread. */
async function* pieces(input: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
      yield chunk.subarray(start, start + PIECE_BYTES);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
