import { tableView } from "./table-view.js";
import { TextView } from "./text-view.js";
import { wrapsIn } from "./wrapped-lines.js";
import { yamlPairs } from "./yaml-pairs.js";

/** How far around an escape its text is looked at again, decoded. */
const NEIGHBOURHOOD = 512;

/** A part of a text that stands for something else. */
interface Escape {
  readonly index: number;
  readonly length: number;
  readonly decoded: string;
}

type Escapes = (text: string) => Iterable<Escape>;

/** Escapes of program texts and JSON within other texts. */
const CODE = escapesLike(/\\(?:u00[2-7]|x[2-7]|\/)/, /\\(?:u00[2-7][0-9A-Fa-f]|x[2-7][0-9A-Fa-f]|\/)/g, (escape) =>
  escape === "\\/" ? "/" : String.fromCharCode(Number.parseInt(escape.slice(2), 16)),
);

const PERCENT = escapesLike(/%[2-7]/, /%[2-7][0-9A-Fa-f]/g, (escape) =>
  String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
);

/** Line breaks within tokens stand for nothing. */
function* wraps(text: string): Generator<Escape> {
  for (const wrap of wrapsIn(text)) yield { ...wrap, decoded: "" };
}

/** @param any whether there is one, for a first look */
function escapesLike(any: RegExp, one: RegExp, decode: (escape: string) => string): Escapes {
  return function* (text) {
    if (!any.test(text)) return;
    for (const { index, 0: escape } of text.matchAll(one))
      yield { index, length: escape.length, decoded: decode(escape) };
  };
}

/** The text as it is without its escapes, once for each kind, its tables, and values of YAML by their names; only where there are some, since most texts have few. */
export function decodedViews(text: string): readonly TextView[] {
  const views = [CODE, PERCENT, wraps].map((escapes) => decodedView(text, escapes(text)));
  return [...views, tableView(text), yamlPairs(text)].filter((view) => view !== undefined);
}

function decodedView(text: string, escapes: Iterable<Escape>): TextView | undefined {
  let view: TextView | undefined;
  let position = 0;
  let until = 0;
  for (const { index, length, decoded } of escapes) {
    view ??= new TextView();
    const from = startNear(text, index);
    if (from > until) {
      view.take(text, position, until);
      view.say("\n\0\n");
      position = from;
    }
    view.take(text, position, index);
    view.take(text, index, index + length, decoded);
    position = index + length;
    if (position > until) until = endNear(text, position);
  }
  view?.take(text, position, Math.max(position, until));
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
