import { KeepsakeError } from "../errors/keepsake-error.js";
import { isAscii } from "./is-ascii.js";

declare const artifactBrand: unique symbol;

/** A checked path inside a bundle: relative, `/`-separated, no segment that could lead elsewhere on any system. */
export type ArtifactPath = string & { readonly [artifactBrand]: true };

/** Longest segment in UTF-8 bytes: a 255-byte file name whose every byte is percent-encoded. */
const MAX_SEGMENT_BYTES = 765;
const MAX_PATH_BYTES = 16_384;
// eslint-disable-next-line no-control-regex -- control characters are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;
const DRIVE = /^[A-Za-z]:/;

function problemOf(value: string): string | undefined {
  if (value === "") return "is empty";
  if (value.startsWith("/")) return "is absolute";
  if (value.includes("\0")) return "holds a NUL";
  if (CONTROL.test(value)) return "holds a control character";
  if (value.includes("\\")) return "holds a backslash";
  if (DRIVE.test(value)) return "begins with a drive";
  if (!value.isWellFormed()) return "is not well-formed Unicode";
  if (Buffer.byteLength(value) > MAX_PATH_BYTES) return "is too long";
  for (const segment of value.split("/")) {
    if (segment === "") return "has an empty segment";
    if (segment === "." || segment === "..") return `has a segment "${segment}"`;
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) return "has a segment that is too long";
  }
  return undefined;
}

/**
 * Checks a path of a bundle.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH` when it is absolute, has `.` or `..`, a NUL or other control character, a drive,
 *   a backslash, an empty or over-long segment, or is no well-formed Unicode
 */
export function parseArtifactPath(value: string): ArtifactPath {
  const problem = problemOf(value);
  if (problem === undefined) return value as ArtifactPath;
  throw new KeepsakeError("E_UNSAFE_PATH", `The path ${JSON.stringify(value.slice(0, 200))} ${problem}.`, {
    context: { path: value.slice(0, 200) },
  });
}

/** True when {@link parseArtifactPath} would accept it. */
export function isArtifactPath(value: string): value is ArtifactPath {
  return problemOf(value) === undefined;
}

/**
 * What two paths share when a file system somewhere could take them for one: canonical composition and full case folding
 * (upper then lower case folds `ß` and `SS`, `ﬁ` and `FI`, the Kelvin sign and `k`).
 */
export function foldedPath(path: string): string {
  if (isAscii(path)) return path.toLowerCase();
  return path.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}
