import { isPairName, isPairValue } from "./name-and-value.js";
import { TextView } from "./text-view.js";

const VALUE = "value:";
/** What may stand before it in its line: an item of a list begins, or a mapping in braces. */
const BEFORE = /^[ \t]*(?:-[ \t]+)*(?:\{[ \t]*)?$/;
const LONGEST_BEFORE = 128;
const SCALAR = String.raw`[ \t]+(?<value>"[^"\n]{1,2048}"|'[^'\n]{1,2048}'|[^\s"'{[,}&*|>][^\s,}]{0,2048})[ \t]*`;
const NAME = String.raw`(?:name|key):[ \t]+["']?(?<name>[\w.:/@-]{2,128})["']?[ \t]*`;
const IN_BRACES = new RegExp(String.raw`${SCALAR},[ \t]*${NAME}[,}]`, "dy");
const IN_LINES = new RegExp(
  String.raw`${SCALAR}(?:#[^\n]*)?\r?\n(?<indent>[ \t]*)${NAME}(?:#[^\n]*)?\r?(?:\n|$)`,
  "dy",
);

/**
 * Values in YAML that their name stands behind, as `"name": "value"` lines: in the order of the alphabet backwards, as some programs
 * write the environment of a container. The other way round a value is found by what stands before it.
 *
 * @returns undefined where there is none
 */
export function yamlPairs(text: string): TextView | undefined {
  let view: TextView | undefined;
  for (let at = text.indexOf(VALUE); at >= 0; at = text.indexOf(VALUE, at + VALUE.length)) {
    const before = text.slice(Math.max(text.lastIndexOf("\n", at), at - LONGEST_BEFORE) + 1, at);
    if (!BEFORE.test(before)) continue;
    const pattern = before.includes("{") ? IN_BRACES : IN_LINES;
    pattern.lastIndex = at + VALUE.length;
    const match = pattern.exec(text);
    const { value = "", name = "", indent } = match?.groups ?? {};
    const [start = 0, end = 0] = match?.indices?.groups?.["value"] ?? [];
    // Of one mapping are those that begin in one column.
    if (match === null || (indent !== undefined && indent.length !== before.length)) continue;
    const quotes = /^["']/.test(value) ? 1 : 0;
    if (!isPairName(name) || !isPairValue(text.slice(start + quotes, end - quotes))) continue;
    view ??= new TextView();
    view.say(`"${name}": "`);
    view.take(text, start + quotes, end - quotes);
    view.say('"\n');
  }
  return view;
}
