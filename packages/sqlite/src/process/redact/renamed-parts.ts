/** A part of a name that tells a secret, and what stands in its place wherever the schema says it. */
export interface RenamedPart {
  readonly from: string;
  /** letters, digits and `_`: a name without quotes stays one */
  readonly to: string;
}

/** The text with all of them replaced; SQLite takes names in any case for the same. */
export function renamedIn(text: string, parts: readonly RenamedPart[]): string {
  return parts.reduce((now, { from, to }) => now.replaceAll(new RegExp(escaped(from), "gi"), to), text);
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");
}
