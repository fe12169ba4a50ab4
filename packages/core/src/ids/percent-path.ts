import { KeepsakeError } from "../errors/keepsake-error.js";
import { isArtifactPath } from "./artifact-path.js";

/**
 * How a file's real name stands in a bundle when the name itself could not travel: bytes that are no UTF-8, control
 * characters, backslashes, or a name that another system would take for its neighbour's. Each such byte is written as
 * `%HH` (RFC 3986, section 2.1), `%` itself too, and the artifact says `name_encoding: "percent"`.
 */
export function percentEncodePath(raw: Uint8Array, encodeAll = false): string {
  let out = "";
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  for (const byte of text) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x25 && byte !== 0x5c && byte !== 0x3a;
    const letter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
    out +=
      plain && !(encodeAll && letter)
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/**
 * The real name's bytes of a path written by {@link percentEncodePath}.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH` when an escape is malformed, or hides a `/`, a NUL, or a segment `.` or `..`
 */
export function percentDecodePath(encoded: string): Buffer {
  const refuse = (why: string): never => {
    throw new KeepsakeError("E_UNSAFE_PATH", `The encoded path ${JSON.stringify(encoded.slice(0, 200))} ${why}.`, {
      context: { path: encoded.slice(0, 200) },
    });
  };
  const bytes: number[] = [];
  for (let index = 0; index < encoded.length; index++) {
    const code = encoded.charCodeAt(index);
    if (code > 0x7e) refuse("holds a character that should be escaped");
    if (code !== 0x25) {
      bytes.push(code);
      continue;
    }
    const digits = encoded.slice(index + 1, index + 3);
    if (!/^[0-9A-F]{2}$/.test(digits)) refuse("has a malformed escape");
    const byte = Number.parseInt(digits, 16);
    if (byte === 0 || byte === 0x2f) refuse("hides a separator or a NUL");
    bytes.push(byte);
    index += 2;
  }
  const raw = Buffer.from(bytes);
  for (const segment of raw.toString("latin1").split("/")) {
    if (segment === "" || segment === "." || segment === "..") refuse("hides an unsafe segment");
    if (segment.length > 255) refuse("has a segment that is too long");
  }
  return raw;
}

/** A file name's bytes as a path in a bundle, escaped only where it has to be. */
export function toBundlePath(raw: Uint8Array): { readonly path: string; readonly nameEncoding?: "percent" } {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("utf8");
  const faithful = Buffer.from(text, "utf8").equals(raw);
  if (faithful && isArtifactPath(text)) return { path: text };
  return { path: percentEncodePath(raw), nameEncoding: "percent" };
}
