import { type Codec, KeepsakeError, type Logger } from "@keepsake/core";
import { type DecryptionKeys, decryptRanges, decryptStream } from "./decrypt.js";
import { type EncryptionTarget, encryptStream } from "./encrypt.js";
import { type PassphraseSource, readIdentityFile } from "./identity-file.js";
import { parseIdentities } from "./identity-text.js";
import { parseRecipients, recipientFingerprint } from "./recipients.js";

export interface AgeOptions {
  /** `age1…` and `age1pq1…`; absent: the codec only decrypts, or encrypts to the passphrase. An empty list is refused. */
  readonly recipients?: readonly string[] | undefined;
  /** `AGE-SECRET-KEY-…` */
  readonly identities?: readonly string[] | undefined;
  /** absolute paths of files with identities, read when something is first decrypted */
  readonly identityFiles?: readonly string[] | undefined;
  /** encrypts where there are no recipients; decrypts; opens identity files that `age -p` has protected */
  readonly passphrase?: PassphraseSource | undefined;
  /** base-2 logarithm of the work a passphrase costs, as `age` counts it; default 18 */
  readonly scryptWorkFactor?: number | undefined;
  /** told of identity files that others may read */
  readonly logger?: Logger | undefined;
}

const DEFAULT_WORK_FACTOR = 18;

/**
 * Encryption to the age format (age-encryption.org/v1), read and written by `age`. Encrypts to any number of X25519 or
 * post-quantum recipients, or to one passphrase; decrypts armored files too.
 *
 * Beside recipients a passphrase only decrypts: the format does not allow both for one file.
 *
 * @throws KeepsakeError `E_RECIPIENT` for an empty list, a malformed recipient (by index), or post-quantum recipients mixed
 *   with others; `E_IDENTITY` for a malformed identity. From the iteration also `E_RECIPIENT` when there is nothing to
 *   encrypt to, `E_IDENTITY` when there is nothing to decrypt with or a file is malformed
 */
export function age(options: AgeOptions = {}): Codec {
  const recipients = options.recipients === undefined ? undefined : parseRecipients(options.recipients);
  if (recipients?.length === 0) throw nobody();
  if (options.identities !== undefined && options.identities.length > 0) {
    parseIdentities(options.identities.join("\n"), "The list of identities");
  }
  return {
    id: "age",
    suffix: ".age",
    encrypts: true,
    async *encode(input, operation = {}) {
      yield* encryptStream(input, await targetOf(recipients, options), operation);
    },
    async *decode(input, operation) {
      operation.signal?.throwIfAborted();
      yield* decryptStream(input, await keysOf(options), operation);
    },
    async decodeRanges(sealed, operation = {}) {
      operation.signal?.throwIfAborted();
      return decryptRanges(sealed, await keysOf(options), operation);
    },
    describe: () => ({
      scheme: "age",
      recipientsFingerprint:
        recipients?.map(recipientFingerprint) ?? (options.passphrase === undefined ? [] : ["scrypt"]),
    }),
  };
}

async function targetOf(recipients: readonly string[] | undefined, options: AgeOptions): Promise<EncryptionTarget> {
  if (recipients !== undefined) return { recipients };
  if (options.passphrase === undefined) throw nobody();
  const passphrase = await options.passphrase();
  if (passphrase === "") throw new KeepsakeError("E_RECIPIENT", "The passphrase to encrypt with is empty.");
  return { passphrase, scryptWorkFactor: options.scryptWorkFactor ?? DEFAULT_WORK_FACTOR };
}

async function keysOf(options: AgeOptions): Promise<DecryptionKeys> {
  const files = options.identityFiles ?? [];
  const identities = [...(options.identities ?? [])];
  for (const file of files) identities.push(...(await readIdentityFile(file, options)));
  if (identities.length === 0 && options.passphrase === undefined) {
    throw new KeepsakeError("E_IDENTITY", "This is encrypted with age, and no identity was given.", {
      hint: "Give the file that holds the identity: --identity FILE.",
    });
  }
  return { identities: [...new Set(identities)], passphrase: await options.passphrase?.() };
}

function nobody(): KeepsakeError {
  return new KeepsakeError("E_RECIPIENT", "There is no recipient to encrypt to.", {
    hint: "Name at least one: it begins with age1. keepsake keygen makes one.",
  });
}
