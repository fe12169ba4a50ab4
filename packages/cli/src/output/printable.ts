// eslint-disable-next-line no-control-regex -- control characters are what is shown in another form
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A text from a bundle, a file name or a label as it may go to a terminal: control characters (escape sequences could
 * rewrite the screen) and bidirectional overrides are shown as `\u{…}`.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
