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

function unsafe(encoded: string, why: string): KeepsakeError {
  const path = encoded.slice(0, 200);
  return new KeepsakeError("E_UNSAFE_PATH", `The encoded path ${JSON.stringify(path)} ${why}.`, { context: { path } });
}

/**
 * The bytes that {@link percentEncodePath} wrote down, of a path or of a link's target.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH` when an escape is malformed, or hides a `/` or a NUL
 */
export function percentDecode(encoded: string): Buffer {
  const bytes = Buffer.alloc(encoded.length);
  let length = 0;
  for (let index = 0; index < encoded.length; index++) {
    let byte = encoded.charCodeAt(index);
    if (byte > 0x7e) throw unsafe(encoded, "holds a character that should be escaped");
    if (byte === 0x25) {
      const digits = encoded.slice(index + 1, index + 3);
      if (!/^[0-9A-F]{2}$/.test(digits)) throw unsafe(encoded, "has a malformed escape");
      byte = Number.parseInt(digits, 16);
      if (byte === 0 || byte === 0x2f) throw unsafe(encoded, "hides a separator or a NUL");
      index += 2;
    }
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

/**
 * The real name's bytes of a path written by {@link percentEncodePath}.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH` when an escape is malformed, or hides a `/`, a NUL, or a segment `.` or `..`
 */
export function percentDecodePath(encoded: string): Buffer {
  const raw = percentDecode(encoded);
  for (const segment of raw.toString("latin1").split("/")) {
    if (segment === "" || segment === "." || segment === "..") throw unsafe(encoded, "hides an unsafe segment");
    if (segment.length > 255) throw unsafe(encoded, "has a segment that is too long");
  }
  return raw;
}

/** What looks like an escape; as part of a real name it is escaped itself, so that no plain path can be taken for one. */
const ESCAPE = /%[0-9A-Fa-f]{2}/;

/** A file name's bytes as a path in a bundle, escaped only where it has to be. */
export function toBundlePath(raw: Uint8Array): { readonly path: string; readonly nameEncoding?: "percent" } {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString("utf8");
  const faithful = Buffer.from(text, "utf8").equals(raw);
  if (faithful && isArtifactPath(text) && !ESCAPE.test(text)) return { path: text };
  return { path: percentEncodePath(raw), nameEncoding: "percent" };
}
