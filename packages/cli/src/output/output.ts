import type { JsonObject } from "@keepsake/core";
import type { Terminal } from "../terminal.js";
import { type Style, styleFor } from "./style.js";

/** The three forms of one result. */
export interface Result {
  /** the one document of `--json` */
  readonly json: JsonObject;
  /** for people, ending with a line feed */
  readonly human: (style: Style) => string;
  /** what is left of it with `--quiet`: nothing, or ids, a line each */
  readonly quiet?: readonly string[];
}

/** Results go to stdout, everything else to stderr. */
export class Output {
  readonly style: Style;
  readonly noteStyle: Style;
  readonly #terminal: Terminal;
  readonly #mode: "json" | "human" | "quiet";

  constructor(
    terminal: Terminal,
    options: { readonly json: boolean; readonly quiet: boolean; readonly color: boolean },
  ) {
    this.#terminal = terminal;
    this.#mode = options.json ? "json" : options.quiet ? "quiet" : "human";
    this.style = styleFor(terminal.stdout, terminal.env, options.color);
    this.noteStyle = styleFor(terminal.stderr, terminal.env, options.color);
  }

  /** What was asked for; called once. */
  result({ json, human, quiet = [] }: Result): void {
    if (this.#mode === "json") this.#terminal.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
    else if (this.#mode === "human") this.#terminal.stdout.write(human(this.style));
    else this.#terminal.stdout.write(quiet.map((line) => `${line}\n`).join(""));
  }

  /** A remark for people; not with `--json`, not with `--quiet`. */
  note(line: string): void {
    if (this.#mode === "human") this.#terminal.stderr.write(`${line}\n`);
  }

  /** Something the user has to know; not with `--json`, whose document says it too. */
  warn(line: string): void {
    if (this.#mode !== "json") this.#terminal.stderr.write(`${this.noteStyle.yellow("warning:")} ${line}\n`);
  }

  /** What was done, but not wholly: the list on stderr, or with `--json` the error document. */
  incomplete(error: JsonObject, lines: readonly string[]): void {
    if (this.#mode === "json") this.#terminal.stderr.write(`${JSON.stringify({ error })}\n`);
    else for (const line of lines) this.#terminal.stderr.write(`${line}\n`);
  }
}
