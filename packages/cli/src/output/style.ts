type Paint = (text: string) => string;

/** Colours for one stream; plain text where it takes none. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

const plain: Paint = (text) => text;
/** SGR sequences (ECMA-48, section 8.3.117): `on` to `off`. */
const sgr =
  (on: number, off: number): Paint =>
  (text) =>
    `\u001b[${String(on)}m${text}\u001b[${String(off)}m`;

/** No colours. */
export const PLAIN: Style = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain };

const COLOURED: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
};

/** Colours only on a terminal, and never when `NO_COLOR` (no-color.org) is set or `--no-color` was given. */
export function styleFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
  wanted: boolean,
): Style {
  const refused = !wanted || (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return stream.isTTY === true && !refused ? COLOURED : PLAIN;
}
