import type { JsonObject, JsonValue } from "@keepsake/core";
import type { DiffReport } from "@keepsake/engine";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";

const SHOWN = 40;

/** `linesAdded` as people say it: "lines added". */
const words = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll("_", " ");

/** A digest or an object id is known by its beginning; of a list the first few say enough here. */
function valueText(value: JsonValue): string {
  if (Array.isArray(value)) {
    const some = value.slice(0, LISTED).map(valueText).join("; ");
    return value.length > LISTED ? `${some}; …` : some;
  }
  if (typeof value === "object" && value !== null) return Object.values(value).map(valueText).join(" ");
  const text = String(value);
  return printable(/^[0-9a-f]{40,64}$/.test(text) ? text.slice(0, SHORT_HEX) : text);
}

const LISTED = 3;
const SHORT_HEX = 12;

/** "lines added 3, lines removed 1"; zeros and empty lists are left out. */
function pairsText(pairs: JsonObject): string {
  return Object.entries(pairs)
    .filter(
      ([, value]) => value !== 0 && value !== null && value !== false && !(Array.isArray(value) && value.length === 0),
    )
    .map(([key, value]) => `${words(key)} ${valueText(value)}`)
    .join(", ");
}

/** By source: its totals, then what changed, a line each. */
export function diffText(report: DiffReport, style: Style): string {
  const head = `From ${report.a} to ${report.b}:`;
  const text = sourcesText(report.sources, style);
  return text === "" ? `${head} no difference.\n` : `${head}\n\n${text}`;
}

/** By source, without a heading; "" when nothing differs. */
export function sourcesText(sources: DiffReport["sources"], style: Style): string {
  const changed = sources.filter((source) => source.items.length > 0);
  const marks = { added: "+", removed: "-", changed: "~" } as const;
  const paint = { added: style.green, removed: style.red, changed: style.yellow };
  const parts = changed.map((source) => {
    const summary = pairsText(source.summary);
    const lines = source.items.slice(0, SHOWN).map((item) => {
      const details = item.details === undefined ? "" : pairsText(item.details);
      const what = paint[item.change](`${marks[item.change]} ${printable(item.path)}`);
      return `  ${what}${details === "" ? "" : style.dim(`  ${details}`)}\n`;
    });
    const rest = source.items.length - lines.length;
    const more = rest > 0 ? style.dim(`  … and ${String(rest)} more (--json has all)\n`) : "";
    return `${style.bold(printable(source.id))}${summary === "" ? "" : `  ${summary}`}\n${lines.join("")}${more}`;
  });
  return parts.join("\n");
}
