import { type ByteReader, type ByteStream, KeepsakeError } from "@keepsake/core";

const BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----";
const END = "-----END AGE ENCRYPTED FILE-----";
const FULL_LINE = 64;
/** Blank space allowed around an armored file. */
const MAX_BLANKS = 1024;
const NEWLINE = 0x0a;
const BASE64_LINE = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** True when a stream is armored: plain age files begin with a letter. */
export async function isArmored(reader: ByteReader): Promise<boolean> {
  const first = (await reader.peek(1))[0];
  return first !== undefined && " \t\r\n-".includes(String.fromCharCode(first));
}

/**
 * Takes the ASCII armor of `age -a` off: strict PEM (source: C2SP age specification, ASCII armor), LF or CRLF, blank space
 * around it allowed.
 *
 * @throws KeepsakeError `E_INTEGRITY`, `E_TRUNCATED`, `E_TRAILING_DATA`
 */
export async function* removeArmor(reader: ByteReader): ByteStream {
  await skipBlanks(reader);
  if ((await readLine(reader)) !== BEGIN) throw malformed("it does not begin with the right line");
  let isLast = false;
  for (;;) {
    const line = await readLine(reader);
    if (line === undefined) throw new KeepsakeError("E_TRUNCATED", "The armored age file has no last line.");
    if (line === END) break;
    if (isLast || line.length === 0 || line.length > FULL_LINE) throw malformed("a line has the wrong length");
    const bytes = Buffer.from(line, "base64");
    // Only what encodes to the same text was canonical: no stray bits, no characters passed over.
    if (!BASE64_LINE.test(line) || bytes.toString("base64") !== line) throw malformed("a line is not base64");
    isLast = line.length < FULL_LINE || line.endsWith("=");
    yield bytes;
  }
  await skipBlanks(reader);
  if ((await reader.peek(1)).length > 0) {
    throw new KeepsakeError("E_TRAILING_DATA", "Something follows the armored age file.");
  }
}

/** A line without its end; undefined at the end of the stream. Longer ones than can be right are cut. */
async function readLine(reader: ByteReader): Promise<string | undefined> {
  const ahead = await reader.peek(FULL_LINE + 2);
  if (ahead.length === 0) return undefined;
  const end = ahead.indexOf(NEWLINE);
  const line = await reader.read(end === -1 ? ahead.length : end + 1);
  return Buffer.from(line)
    .toString("latin1")
    .replace(/\r?\n$/, "");
}

async function skipBlanks(reader: ByteReader): Promise<void> {
  for (let count = 0; count <= MAX_BLANKS; count += 1) {
    const byte = (await reader.peek(1))[0];
    if (byte === undefined || !" \t\r\n".includes(String.fromCharCode(byte))) return;
    await reader.read(1);
  }
  throw malformed("there is too much blank space around it");
}

function malformed(reason: string): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", `The armor of the age file is malformed: ${reason}.`);
}
