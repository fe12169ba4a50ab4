import type { Style } from "./style.js";

/** A column: its head and how its cells stand. */
export interface Column {
  readonly head: string;
  readonly align?: "left" | "right";
  readonly paint?: (text: string) => string;
}

// eslint-disable-next-line no-control-regex -- escape sequences have no width
const SGR = /\u001b\[[0-9;]*m/g;

/** How many columns of a terminal a text takes; wide characters (CJK, emoji) take two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of text.replace(SGR, "")) {
    if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(char)) continue;
    width +=
      /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u.test(
        char,
      )
        ? 2
        : 1;
  }
  return width;
}

function fill(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "right" ? space + text : text + space;
}

/** Aligned lines with a head, two spaces apart, nothing at line ends. Columns that are empty in every row are left out. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): string {
  const shown = columns
    .map((column, index) => ({ column, index }))
    .filter(({ index }) => rows.some((row) => row[index]));
  const widths = shown.map(({ column, index }) =>
    Math.max(widthOf(column.head), ...rows.map((row) => widthOf(row[index] ?? ""))),
  );
  const line = (cell: (column: Column, index: number) => string): string =>
    shown
      .map(({ column, index }, at) => fill(cell(column, index), widths[at] ?? 0, column.align ?? "left"))
      .join("  ")
      .trimEnd();
  const head = line(({ head: text }) => style.dim(text));
  const body = rows.map((row) => line((column, index) => (column.paint ?? ((text) => text))(row[index] ?? "")));
  return `${[head, ...body].join("\n")}\n`;
}

/** "name   value" lines, values aligned; pairs without a value are left out. */
export function facts(pairs: readonly (readonly [name: string, value: string | undefined])[], style: Style): string {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined && pair[1] !== "");
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  return shown.map(([name, value]) => `${style.dim(fill(name, width, "left"))}  ${value}\n`).join("");
}
