import { type ByteReader, KeepsakeError } from "@keepsake/core";

const VERSION_LINE = "age-encryption.org/v1\n";
const ANY_VERSION = "age-encryption.org/";
/** Room for some hundred post-quantum recipients. */
const MAX_HEADER_BYTES = 1024 * 1024;
const STEP_BYTES = 4096;
/** `--- `, 43 characters of base64, newline: no other length is right. */
const LAST_LINE_BYTES = 48;

/**
 * The header of an age file: all lines up to the one that begins with `---`, as bytes. What it says is not checked.
 *
 * @throws KeepsakeError `E_TRUNCATED`, `E_INTEGRITY` (not an age file), `E_UNSUPPORTED` (another version), `E_LIMIT`
 */
export async function readHeader(reader: ByteReader): Promise<Uint8Array> {
  await checkVersion(reader);
  for (let size = STEP_BYTES; size <= MAX_HEADER_BYTES; size *= 2) {
    const ahead = Buffer.from(await reader.peek(size));
    const lastLine = ahead.indexOf("\n---");
    const end = lastLine + 1 + LAST_LINE_BYTES;
    if (lastLine !== -1 && end <= ahead.length) return reader.read(end);
    if (ahead.length < size) throw truncated();
  }
  throw new KeepsakeError("E_LIMIT", `The header of the age file is longer than ${MAX_HEADER_BYTES} bytes.`);
}

async function checkVersion(reader: ByteReader): Promise<void> {
  const start = Buffer.from(await reader.peek(VERSION_LINE.length)).toString("latin1");
  if (start === VERSION_LINE) return;
  if (VERSION_LINE.startsWith(start)) throw truncated();
  if (start.startsWith(ANY_VERSION)) {
    throw new KeepsakeError("E_UNSUPPORTED", "The age file is of a version that is not supported.");
  }
  throw new KeepsakeError("E_INTEGRITY", "This is not an age file: it begins otherwise.");
}

function truncated(): KeepsakeError {
  return new KeepsakeError("E_TRUNCATED", "The age file ends in its header.");
}
