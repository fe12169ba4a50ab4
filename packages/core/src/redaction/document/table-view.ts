import { isPairValue } from "./name-and-value.js";
import { TextView } from "./text-view.js";

/** A cell of a line of names, one of which says that what is below it is secret. */
const TELLING = /passw|passcode|passphrase|pwd|token|secret|credential|api.?key|(?:access|private|auth).?key/i;
const HEADER =
  /(?:^|[,;|\t])[ \t"*`]{0,8}[\w .-]{0,32}(?:passw|passcode|passphrase|pwd|token|secret|credential|key)[\w .-]{0,16}[ \t"*`]{0,8}(?=[,;|\t\r\n])/gim;
const NAME = /^[\w .()/-]{0,48}$/;
/** Under the names of a table of Markdown. */
const RULE = /^[ \t|:-]+$/;
const LONGEST_LINE = 2048;

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
  let view: TextView | undefined;
  let done = 0;
  HEADER.lastIndex = 0;
  for (const { index } of text.matchAll(HEADER)) {
    if (index < done) continue;
    const header = lineAt(text, text.lastIndexOf("\n", index) + 1);
    done = header.next;
    const delimiter = /[,;|\t]/.exec(text.slice(header.start, header.end))?.[0];
    const names = delimiter === undefined ? [] : cellsIn(text, header, delimiter).map((cell) => textOf(text, cell));
    if (delimiter === undefined || names.length < 2 || !names.every((name) => NAME.test(name))) continue;
    const wanted = names.map((name) => TELLING.test(name));
    if (!wanted.includes(true)) continue;
    view ??= new TextView();
    done = takeRows(text, done, delimiter, names, wanted, view);
  }
  return view;
}

/** @returns where the table ends */
function takeRows(
  text: string,
  from: number,
  delimiter: string,
  names: readonly string[],
  wanted: readonly boolean[],
  view: TextView,
): number {
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

function textOf(text: string, { start, end }: Range): string {
  return text.slice(start, end);
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
