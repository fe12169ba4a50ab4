import { type Codec, KeepsakeError } from "@keepsake/core";
import { collect } from "@keepsake/testkit";

/** A codec that turns every byte over, and says it encrypts: what it writes shows no text. */
export function fakeCipher(suffix: `.${string}` = ".sealed"): Codec {
  const turned = async function* (input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of input) yield chunk.map((byte) => byte ^ 0xff);
  };
  return {
    id: "cipher",
    suffix,
    encrypts: true,
    encode: turned,
    decode: turned,
    describe: () => ({ scheme: "turned", recipientsFingerprint: ["friend"] }),
  };
}

/** One that has no key. */
export function keylessCipher(): Codec {
  return {
    ...fakeCipher(),
    // eslint-disable-next-line require-yield -- it never comes to yield
    async *decode(input) {
      await collect(input);
      throw new KeepsakeError("E_IDENTITY", "No identity was given.");
    },
  };
}
