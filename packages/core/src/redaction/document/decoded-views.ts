import { TextView } from "./text-view.js";

/** How far around an escape its text is looked at again, decoded. */
const NEIGHBOURHOOD = 512;

interface Escapes {
  /** whether there is one, for a first look */
  readonly any: RegExp;
  readonly one: RegExp;
  readonly decode: (escape: string) => string;
}

/** Escapes of program texts and JSON within other texts. */
const CODE: Escapes = {
  any: /\\(?:u00[2-7]|x[2-7]|\/)/,
  one: /\\(?:u00[2-7][0-9A-Fa-f]|x[2-7][0-9A-Fa-f]|\/)/g,
  decode: (escape) => (escape === "\\/" ? "/" : String.fromCharCode(Number.parseInt(escape.slice(2), 16))),
};

const PERCENT: Escapes = {
  any: /%[2-7]/,
  one: /%[2-7][0-9A-Fa-f]/g,
  decode: (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
};

/** The text as it is without its escapes, once for each kind; only where there are some, since most texts have few. */
export function decodedViews(text: string): readonly TextView[] {
  return [CODE, PERCENT].flatMap((escapes) => (escapes.any.test(text) ? [decodedView(text, escapes)] : []));
}

function decodedView(text: string, { one, decode }: Escapes): TextView {
  const view = new TextView();
  let position = 0;
  let until = 0;
  for (const { index, 0: escape } of text.matchAll(one)) {
    const from = startNear(text, index);
    if (from > until) {
      view.take(text, position, until);
      view.say("\n\0\n");
      position = from;
    }
    view.take(text, position, index);
    view.take(text, index, index + escape.length, decode(escape));
    position = index + escape.length;
    if (position > until) until = endNear(text, position);
  }
  view.take(text, position, Math.max(position, until));
  return view;
}

/** Of what stands around an escape only its own line matters; lines with escapes that touch are read as one text. */
function startNear(text: string, position: number): number {
  const from = Math.max(0, position - NEIGHBOURHOOD);
  return from + text.slice(from, position).lastIndexOf("\n") + 1;
}

function endNear(text: string, position: number): number {
  const near = text.slice(position, position + NEIGHBOURHOOD);
  const line = near.indexOf("\n");
  return position + (line < 0 ? near.length : line + 1);
}
