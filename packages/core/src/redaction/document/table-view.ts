import { isPairValue } from "./name-and-value.js";
import { TextView } from "./text-view.js";

/** A cell of a line of names, one of which says that what is below it is secret. */
const TELLING = /passw|passcode|passphrase|pwd|token|secret|credential|api.?key|(?:access|private|auth).?key/i;
const NAME = /^[\w .()/-]{0,48}$/;
/** Under the names of a table of Markdown. */
const RULE = /^[ \t|:-]+$/;
const LONGEST_LINE = 2048;
const LONGEST_HEADER = 512;
const DELIMITERS = [",", ";", "|", "\t"] as const;

interface Range {
  readonly start: number;
  readonly end: number;
}

interface Line extends Range {
  /** where the next one begins */
  readonly next: number;
}

/**
 * Tables in a text as a list of `"name": "value"` lines: values apart by commas, semicolons or tabs, as browsers and password stores
 * write them out, and tables of Markdown. Only what stands below a name that tells of a secret.
 *
 * @returns undefined where there is none
 */
export function tableView(text: string): TextView | undefined {
  const view = new TextView();
  for (const delimiter of DELIMITERS) {
    for (let at = text.indexOf(delimiter); at >= 0; ) {
      const line = lineAt(text, text.lastIndexOf("\n", at) + 1);
      const names = namesIn(text, line, delimiter);
      const next = names === undefined ? line.next : takeRows(text, line.next, delimiter, names, view);
      at = text.indexOf(delimiter, next);
    }
  }
  return view.text === "" ? undefined : view;
}

/** The names above a table; undefined for a line of something else, as nearly all lines with a comma are. */
function namesIn(text: string, line: Range, delimiter: string): readonly string[] | undefined {
  if (line.end - line.start > LONGEST_HEADER || text.charCodeAt(line.end - 1) === 0x2e) return undefined;
  const header = text.slice(line.start, line.end);
  if (header.includes(":") || !TELLING.test(header) || /[,;|\t]/.exec(header)?.[0] !== delimiter) return undefined;
  const names = cellsIn(text, line, delimiter).map((cell) => text.slice(cell.start, cell.end));
  return names.every((name) => NAME.test(name)) ? names : undefined;
}

/** @returns where the table ends */
function takeRows(text: string, from: number, delimiter: string, names: readonly string[], view: TextView): number {
  const wanted = names.map((name) => TELLING.test(name));
  let start = from;
  while (start < text.length) {
    const line = lineAt(text, start);
    const isRule = delimiter === "|" && RULE.test(text.slice(line.start, line.end));
    const cells = cellsIn(text, line, delimiter);
    if (!isRule && cells.length !== names.length) break;
    for (const [column, cell] of isRule ? [] : cells.entries()) {
      if (wanted[column] !== true || !isPairValue(text.slice(cell.start, cell.end))) continue;
      view.say(`"${names[column] ?? ""}": "`);
      view.take(text, cell.start, cell.end);
      view.say('"\n');
    }
    start = line.next;
  }
  return start;
}

function lineAt(text: string, start: number): Line {
  const newLine = text.indexOf("\n", start);
  const end = newLine < 0 ? text.length : newLine;
  return { start, end: text.charCodeAt(end - 1) === 0x0d ? end - 1 : end, next: end + 1 };
}

/** The cells of a line, without quotes, blanks and marks around. A delimiter within quotes parts nothing. */
function cellsIn(text: string, { start, end }: Range, delimiter: string): Range[] {
  if (end - start > LONGEST_LINE) return [];
  const cells: Range[] = [];
  let from = start;
  let isQuoted = false;
  for (let at = start; at <= end; at++) {
    const character = text[at];
    if (at < end && character === '"') isQuoted = !isQuoted;
    if (at < end && (isQuoted || character !== delimiter)) continue;
    cells.push(trimmed(text, from, at));
    from = at + 1;
  }
  return cells;
}

function trimmed(text: string, start: number, end: number): Range {
  const [before = "", inner = ""] = /^([ \t"*`]*)(.*?)[ \t"*`]*$/s.exec(text.slice(start, end))?.slice(1) ?? [];
  return { start: start + before.length, end: start + before.length + inner.length };
}
