import { resolve } from "node:path";
import type { AgentPaths, AgentRef } from "@keepsake/core";

/** What becomes of embeddings of redacted text. */
export type EmbeddingsOption = "keep" | "null";

/** How a SQLite source is set up. */
export interface SqliteOptions {
  /** its folder in the bundle; default "sqlite" */
  readonly id?: string | undefined;
  /** where to look: relative to the memory directory, or absolute; `{agent}` and `{tenant}` are filled in; default "." */
  readonly root?: string | undefined;
  /** only databases that match one of these globs or names, relative to `root`; default: all */
  readonly include?: readonly string[] | undefined;
  /** databases that are left to other sources; globs relative to `root` */
  readonly exclude?: readonly string[] | undefined;
  /** databases that must be there, relative to `root`; a missing one makes the snapshot incomplete */
  readonly required?: readonly string[] | undefined;
  /** what the manifest calls a database, by its path relative to `root`; default "sqlite" */
  readonly kinds?: Readonly<Record<string, string>> | undefined;
  /** what a redaction does with vectors made of texts that it changes: default "keep" them; "null": zeros instead */
  readonly embeddings?: EmbeddingsOption | undefined;
  /** how long, in milliseconds and over all databases, writers are waited for; default 250 */
  readonly holdTimeoutMs?: number | undefined;
}

/** What is looked for below one agent's root. Plain data: it goes to the helper process. */
export interface Selection {
  /** absolute path */
  readonly root: string;
  readonly include: readonly string[] | undefined;
  readonly exclude: readonly string[];
  readonly required: readonly string[];
}

/** The selection of one agent. */
export function selectionFor(options: SqliteOptions, agent: AgentRef, paths: AgentPaths): Selection {
  const root = (options.root ?? ".").replaceAll("{agent}", agent.agent).replaceAll("{tenant}", agent.tenant);
  return {
    root: resolve(paths.memory, root),
    include: options.include,
    exclude: options.exclude ?? [],
    required: options.required ?? [],
  };
}
