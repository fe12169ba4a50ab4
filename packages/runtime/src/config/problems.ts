import { type JsonObject, KeepsakeError } from "@keepsake/core";

/** One mistake in the configuration, and where it is. */
export interface ConfigProblem {
  /** the configuration file, or "(inline)" */
  readonly file: string;
  /** `agents["*"].memory`, `sources[0].include`; empty for the whole */
  readonly path: string;
  readonly message: string;
  /** from 1; where the file format tells */
  readonly line?: number;
  readonly column?: number;
}

/** A place in a file, both from 1. */
export interface FilePosition {
  readonly line: number;
  readonly column: number;
}

/** Where a configuration is, for the messages. */
export interface ProblemPlace {
  readonly file: string;
  readonly locate: (path: readonly PropertyKey[]) => FilePosition | undefined;
}

/** `["agents", "*", "sources", 0]` as `agents["*"].sources[0]`. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (typeof key === "string" && /^[A-Za-z_][\w-]*$/.test(key)) text += text === "" ? key : `.${key}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text;
}

/** Collects the problems of one configuration, so that all are reported at once. */
export class ConfigProblems {
  readonly #place: ProblemPlace;
  readonly #problems: ConfigProblem[] = [];

  constructor(place: ProblemPlace) {
    this.#place = place;
  }

  get found(): boolean {
    return this.#problems.length > 0;
  }

  add(path: readonly PropertyKey[], message: string, position = this.#place.locate(path)): void {
    const problem = { file: this.#place.file, path: pathText(path), message, ...position };
    const known = this.#problems.some((other) => other.path === problem.path && other.message === message);
    if (!known) this.#problems.push(problem);
  }

  /** @throws KeepsakeError `E_CONFIG` when there is any problem; `context.problems` is the list of {@link ConfigProblem} */
  throwIfAny(cause?: unknown): void {
    if (!this.found) return;
    // As they stand in the file; where the file does not tell, as they were found.
    const sorted = this.#problems.toSorted(
      (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    );
    throw configError(sorted, cause);
  }
}

function lineOf(problem: ConfigProblem): string {
  const place = problem.line === undefined ? "" : ` (line ${problem.line}, column ${problem.column ?? 1})`;
  return `${problem.file}: ${problem.path === "" ? "" : `${problem.path}: `}${problem.message}${place}`;
}

/** The `E_CONFIG` error for these problems, one line each. */
export function configError(problems: readonly ConfigProblem[], cause?: unknown): KeepsakeError {
  return new KeepsakeError("E_CONFIG", problems.map(lineOf).join("\n"), {
    ...(cause === undefined ? {} : { cause }),
    context: { problems: problems.map((problem): JsonObject => ({ ...problem })) },
    hint: "`keepsake config schema` prints every key with its type; nothing was started.",
  });
}
