import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Where a file cannot be parsed; line and column from 1. */
export interface SyntaxPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What parses a plugin's files runs nothing of them: it takes as long as Node takes to start. */
const LIMIT_MS = 10_000;

/**
 * Parses a module and the files it imports by relative paths, and imports the first that cannot be parsed, of which nothing can
 * run. Of an error that ends a process Node tells the place; where an import is caught, it keeps that to itself.
 */
const PARSER = `
import { readFile } from "node:fs/promises";
import { SourceTextModule } from "node:vm";
const seen = new Set([process.argv[1]]);
for (const url of seen) {
  const source = await readFile(new URL(url), "utf8").catch(() => "");
  const { dependencySpecifiers, moduleRequests = [] } = await parsed(source, url);
  const named = dependencySpecifiers ?? moduleRequests.map(({ specifier }) => specifier);
  for (const name of named) if (/^\\.\\.?\\/.*\\.m?js$/.test(name)) seen.add(new URL(name, url).href);
}
async function parsed(source, identifier) {
  try {
    return new SourceTextModule(source, { identifier });
  } catch (error) {
    if (error instanceof SyntaxError) await import(identifier);
    process.exit(0);
  }
}`;

/**
 * Where the syntax error of an import is.
 *
 * @param url of the file that was imported; the error may be in one that it imports
 * @returns undefined when that cannot be found out
 */
export async function syntaxPlaceOf(error: unknown, url: string): Promise<SyntaxPlace | undefined> {
  if (!(error instanceof SyntaxError)) return undefined;
  // One that the plugin's code throws, as JSON.parse does, is in none of the files.
  return placeIn(error.stack ?? "") ?? placeIn(await saidByParser(url));
}

/** "file:///a.mjs:3", the line, and below it where in it. */
function placeIn(stack: string): SyntaxPlace | undefined {
  const [first = "", _line, marks = ""] = stack.split("\n");
  const [, where, line] = /^(.*):(\d+)$/.exec(first) ?? [];
  const column = /^\s*\^/.exec(marks)?.[0].length;
  if (where === undefined || column === undefined) return undefined;
  return { file: where.startsWith("file:") ? fileURLToPath(where) : where, line: Number(line), column };
}

async function saidByParser(url: string): Promise<string> {
  const args = ["--no-warnings", "--experimental-vm-modules", "--input-type=module", "--eval", PARSER, url];
  try {
    await promisify(execFile)(process.execPath, args, { timeout: LIMIT_MS });
  } catch (error) {
    if (error instanceof Error && "stderr" in error) return String(error.stderr);
  }
  // The error is told without its place then.
  return "";
}
