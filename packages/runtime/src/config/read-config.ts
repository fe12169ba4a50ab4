import { readFile } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { errnoOf } from "@keepsake/core";
import { configError, type FilePosition, type ProblemPlace } from "./problems.js";
import type { KeepsakeConfigInput } from "./schema.js";

/** A configuration as it was written, not yet checked. */
export interface ConfigDocument extends ProblemPlace {
  readonly value: unknown;
  /** relative paths are relative to this absolute folder */
  readonly baseDir: string;
  /** what it was read from; undefined for one that a program handed over, or for none */
  readonly origin: "file" | "inline" | "none";
}

/** Either a configuration, or the file that holds it. */
export type ConfigSource = KeepsakeConfigInput | { readonly file: string };

function isFile(source: ConfigSource): source is { readonly file: string } {
  return "file" in source && typeof source.file === "string";
}

/**
 * Reads a configuration from where it is.
 *
 * @throws KeepsakeError `E_CONFIG` when the file cannot be read, its syntax is wrong or its name has no known ending
 */
export async function readConfig(source: ConfigSource | undefined, cwd: string): Promise<ConfigDocument> {
  const inline = { file: "(inline)", baseDir: cwd, locate: () => undefined };
  if (source === undefined) return { ...inline, value: {}, origin: "none" };
  if (!isFile(source)) return { ...inline, value: source, origin: "inline" };
  const file = resolve(cwd, source.file);
  const place = { file, baseDir: dirname(file), origin: "file" as const };
  switch (extname(file)) {
    case ".yaml":
    case ".yml":
      return { ...place, ...(await parseYaml(file, await readText(file))) };
    case ".json":
      return { ...place, ...(await parseJson(file, await readText(file))) };
    case ".mjs":
      return { ...place, value: await importDefault(file), locate: () => undefined };
    default:
      throw configError([{ file, path: "", message: "a configuration file ends in .yaml, .yml, .json or .mjs" }]);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw configError([{ file, path: "", message: `cannot be read (${errnoOf(error) ?? "unknown error"})` }], error);
  }
}

type Parsed = Pick<ConfigDocument, "value" | "locate">;

async function parseYaml(file: string, text: string): Promise<Parsed> {
  // Loaded when it is needed: it takes a third of the time in which the command starts.
  const { isNode, LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  // Without pretty errors no line of the file gets into a message.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const positionAt = (offset: number): FilePosition => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const wrong = [...document.errors, ...document.warnings].map((error) => ({
    file,
    path: "",
    message: error.message,
    ...positionAt(error.pos[0]),
  }));
  if (wrong.length > 0) throw configError(wrong);
  return {
    value: valueOf(file, () => document.toJS() as unknown) ?? {},
    locate: (path) => {
      // Of a missing key the position is that of what should hold it.
      for (let length = path.length; length > 0; length--) {
        const node = document.getIn(path.slice(0, length), true);
        if (isNode(node) && node.range) return positionAt(node.range[0]);
      }
      return undefined;
    },
  };
}

function valueOf(file: string, read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    const message = error instanceof Error ? error.message : "cannot be read";
    throw configError([{ file, path: "", message }], error);
  }
}

async function parseJson(file: string, text: string): Promise<Parsed> {
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    // The engine's own message quotes the text around the mistake: only the position is taken from it.
    const offset = /at position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
    const before = body.slice(0, offset === undefined ? body.length : Number(offset)).split("\n");
    const position = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    throw configError([{ file, path: "", message: "is not valid JSON", ...position }]);
  }
  // JSON.parse lets the last of two equal keys win in silence. YAML reads JSON too, refuses them, and knows positions.
  return { value, locate: (await parseYaml(file, body)).locate };
}

async function importDefault(file: string): Promise<unknown> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw configError([{ file, path: "", message: `cannot be imported: ${reason}` }], error);
  }
  if (module.default === undefined) {
    throw configError([
      { file, path: "", message: "has no default export; write `export default defineConfig({ … })`" },
    ]);
  }
  return module.default;
}
