import { open } from "node:fs/promises";
import { collectBytes, isKeepsakeError, KeepsakeError, type Logger, SILENT_LOGGER, streamOf } from "@keepsake/core";
import { decryptStream } from "./decrypt.js";
import { parseIdentities } from "./identity-text.js";

const MAX_IDENTITY_FILE_BYTES = 1024 * 1024;
const FOR_OTHERS = 0o077;

/** Reads a passphrase when it is needed. */
export type PassphraseSource = () => string | Promise<string>;

interface IdentityFileOptions {
  /** opens files that `age -p` has protected */
  readonly passphrase?: PassphraseSource | undefined;
  /** told of files that others may read */
  readonly logger?: Logger | undefined;
}

/**
 * The identities of a file as `age-keygen` writes it, also one that `age -p` (with or without `-a`) has protected.
 *
 * @param path absolute path
 * @throws KeepsakeError `E_IDENTITY` when it cannot be read, is malformed, or is protected and the passphrase is missing or
 *   wrong
 */
export async function readIdentityFile(path: string, options: IdentityFileOptions = {}): Promise<readonly string[]> {
  const bytes = await readSmallFile(path, options.logger ?? SILENT_LOGGER);
  const start = bytes.subarray(0, 64).toString("latin1").trimStart();
  const isProtected = start.startsWith("age-encryption.org/") || start.startsWith("-----BEGIN AGE ENCRYPTED FILE");
  const text = isProtected ? await unprotect(bytes, path, options.passphrase) : bytes;
  return parseIdentities(text.toString("utf8"), path);
}

async function readSmallFile(path: string, logger: Logger): Promise<Buffer> {
  try {
    await using file = await open(path, "r");
    const { mode, size } = await file.stat();
    if (process.platform !== "win32" && (mode & FOR_OTHERS) !== 0) {
      logger.warn("An identity file can be read by others.", { file: path, mode: (mode & 0o777).toString(8) });
    }
    if (size > MAX_IDENTITY_FILE_BYTES) throw new Error("it is too large");
    return await file.readFile();
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "it is too large";
    throw new KeepsakeError("E_IDENTITY", `${path} cannot be read as an identity file (${reason}).`, {
      cause: error,
      context: { file: path },
    });
  }
}

async function unprotect(bytes: Buffer, path: string, passphrase: PassphraseSource | undefined): Promise<Buffer> {
  if (passphrase === undefined) {
    throw new KeepsakeError("E_IDENTITY", `${path} is protected by a passphrase, and none was given.`, {
      context: { file: path },
    });
  }
  const keys = { identities: [], passphrase: await passphrase() };
  try {
    const text = await collectBytes(
      decryptStream(streamOf(bytes), keys, { maxOutputBytes: MAX_IDENTITY_FILE_BYTES }),
      MAX_IDENTITY_FILE_BYTES,
    );
    return Buffer.from(text);
  } catch (error) {
    const reason = isKeepsakeError(error, "E_DECRYPT") ? "the passphrase is wrong" : "it is damaged";
    throw new KeepsakeError("E_IDENTITY", `${path} could not be opened: ${reason}.`, {
      cause: error,
      context: { file: path },
    });
  }
}
