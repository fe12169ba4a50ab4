/** Finds fenced blocks and relative links in a Markdown text. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../lib.mjs";

/**
 * The fenced blocks of a text. The words after the language are flags (`run`) or settings (`with=file`).
 *
 * @returns {{ language: string, flags: Set<string>, settings: Record<string, string>, text: string, line: number }[]}
 *   `line` is that of the block's first line of text
 */
export function blocksOf(markdown) {
  const blocks = [];
  let open;
  for (const [index, line] of markdown.split("\n").entries()) {
    const fence = /^( *)(`{3,})(.*)$/.exec(line);
    if (open === undefined && fence) {
      const [language = "", ...words] = fence[3].trim().split(/\s+/);
      const pairs = words.filter((word) => word.includes("=")).map((word) => word.split("="));
      const flags = new Set(words.filter((word) => !word.includes("=")));
      const settings = Object.fromEntries(pairs);
      open = { indent: fence[1].length, ticks: fence[2], language, flags, settings, lines: [], line: index + 2 };
    } else if (open && fence && fence[2].length >= open.ticks.length && fence[3].trim() === "") {
      const { lines, language, flags, settings, line: start } = open;
      blocks.push({ language, flags, settings, text: `${lines.join("\n")}\n`, line: start });
      open = undefined;
    } else if (open) {
      open.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
    }
  }
  if (open) throw new Error(`a block that begins at line ${open.line - 1} is not closed`);
  return blocks;
}

/** Relative links that lead nowhere, headings included. */
export function linkProblems(markdown, file) {
  const problems = [];
  let inBlock = false;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (/^ *```/.test(line)) inBlock = !inBlock;
    if (inBlock) continue;
    for (const [, target] of line.replace(/`[^`]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target) || target.startsWith("#")) continue;
      const path = join(root, dirname(file), target.split("#")[0]);
      if (!existsSync(path)) problems.push({ file, line: index + 1, message: `the link ${target} leads nowhere` });
    }
  }
  return problems;
}
