import { constants } from "node:fs";
import { copyFile, rename, rm } from "node:fs/promises";
import {
  addMatches,
  isKeepsakeError,
  type OpOptions,
  type RedactionOutcome,
  type RedactionPolicy,
  redactText,
  type StagedArtifact,
} from "@keepsake/core";
import type { EmbeddingsOption } from "./options.js";
import { HelperProcess } from "./process/helper-process.js";
import type { RowBatch, ScannedTable, StoredValue } from "./process/redact/protocol.js";
import { type RenamedPart, renamedIn } from "./process/redact/renamed-parts.js";
import { withoutSecretNames } from "./redact-names.js";
import { RowRedaction } from "./redact-rows.js";

/**
 * Redacts private copies of databases: every text cell, and every cell of bytes that are text; the names and literals of the schema;
 * the full-text indexes made of them. Each copy is then written anew, so that no free page and no slack holds what was. One that
 * cannot be rewritten without what is not loaded here (a function of an index, a collation) stays as it was, unscanned.
 *
 * @throws KeepsakeError `E_DATABASE_DAMAGED`
 */
export async function redactSqlite(
  files: readonly StagedArtifact[],
  policy: RedactionPolicy,
  op: OpOptions = {},
  embeddings: EmbeddingsOption = "keep",
): Promise<RedactionOutcome> {
  const outcome = new Outcome();
  if (files.length === 0) return outcome;
  await using helper = new HelperProcess();
  for (const artifact of files) {
    const redaction = new DatabaseRedaction(helper, policy, artifact, op);
    outcome.take(await onCopyOf(artifact, (file) => redaction.run(file, embeddings)));
  }
  return outcome;
}

/** A half-redacted database lacks its triggers: what is given up is given up as a whole. */
async function onCopyOf(
  { file, pathInBundle }: StagedArtifact,
  redact: (copy: string) => Promise<Outcome>,
): Promise<Outcome> {
  const copy = `${file}-work`;
  try {
    await copyFile(file, copy, constants.COPYFILE_FICLONE);
    const outcome = await redact(copy);
    await rename(copy, file);
    return outcome;
  } catch (error) {
    if (!isKeepsakeError(error, "E_UNSUPPORTED")) throw error;
    const untouched = new Outcome();
    untouched.unscanned.push({ path: pathInBundle, reason: "not_rewritable" });
    return untouched;
  } finally {
    await rm(copy, { force: true });
  }
}

class Outcome implements RedactionOutcome {
  readonly matches: Record<string, number> = {};
  readonly byArtifact: Record<string, Record<string, number>> = {};
  readonly artifactsTouched: string[] = [];
  readonly unscanned: { path: string; reason: string }[] = [];
  readonly facts: Record<string, NonNullable<RedactionOutcome["facts"]>[string]> = {};

  add(path: string, matches: Readonly<Record<string, number>>): boolean {
    if (Object.keys(matches).length === 0) return false;
    addMatches(this.matches, matches);
    addMatches((this.byArtifact[path] ??= {}), matches);
    return true;
  }

  take({ byArtifact, artifactsTouched, unscanned, facts }: Outcome): void {
    for (const [path, matches] of Object.entries(byArtifact)) this.add(path, matches);
    this.artifactsTouched.push(...artifactsTouched);
    this.unscanned.push(...unscanned);
    Object.assign(this.facts, facts);
  }
}

class DatabaseRedaction {
  readonly #helper: HelperProcess;
  readonly #policy: RedactionPolicy;
  readonly #artifact: StagedArtifact;
  readonly #outcome = new Outcome();
  readonly #op: OpOptions;
  #renamed: readonly RenamedPart[] = [];

  constructor(helper: HelperProcess, policy: RedactionPolicy, artifact: StagedArtifact, op: OpOptions) {
    this.#helper = helper;
    this.#policy = policy;
    this.#artifact = artifact;
    this.#op = op;
  }

  /** @param file a copy of the artifact's, which is rewritten */
  async run(file: string, embeddings: EmbeddingsOption): Promise<Outcome> {
    const { pathInBundle } = this.#artifact;
    const opening = { file, nullsEmbeddings: embeddings === "null" };
    const { tables, statements, names, unknown } = await this.#helper.call("redactOpen", opening, this.#op);
    const { renamed, matches } = withoutSecretNames(names, this.#policy, pathInBundle);
    this.#found(matches);
    this.#renamed = renamed;
    for (const [index, table] of tables.entries()) await this.#redactTable(index, table);
    for (const [index, sql] of statements.entries()) await this.#redactStatement(index, sql);
    const { facts, emptied } = await this.#helper.call("redactFinish", { renamed }, this.#op);
    for (const name of unknown) this.#leave(name, "unknown_table");
    for (const name of emptied) this.#leave(name, "emptied_index");
    this.#outcome.artifactsTouched.push(pathInBundle);
    // The copy is one that any SQLite reads without a log; the live database is what the capture said of it.
    const { journal_mode = facts["journal_mode"] ?? null } = this.#artifact.facts ?? {};
    this.#outcome.facts[pathInBundle] = { ...facts, journal_mode };
    return this.#outcome;
  }

  async #redactTable(index: number, table: ScannedTable): Promise<void> {
    const found = (matches: Readonly<Record<string, number>>): boolean => this.#found(matches);
    const rows = new RowRedaction(table, this.#artifact.pathInBundle, this.#policy, found);
    let after: readonly StoredValue[] | null = null;
    do {
      const batch: RowBatch = await this.#helper.call("redactRead", { table: index, after }, this.#op);
      const changes = rows.changesOf(batch);
      if (changes.length > 0) await this.#helper.call("redactWrite", { table: index, changes }, this.#op);
      after = batch.next ?? null;
    } while (after !== null);
    for (const column of rows.tooLarge) this.#leave(`${table.name}.${column}`, "too_large");
    for (const column of rows.binary) this.#leave(`${table.name}.${column}`, "binary");
  }

  async #redactStatement(index: number, sql: string): Promise<void> {
    const named = renamedIn(sql, this.#renamed);
    const { text, matches } = redactText(named, this.#policy, { path: this.#artifact.pathInBundle });
    this.#found(matches);
    if (text !== sql) await this.#helper.call("redactStatement", { index, sql: text }, this.#op);
  }

  #found(matches: Readonly<Record<string, number>>): boolean {
    return this.#outcome.add(this.#artifact.pathInBundle, matches);
  }

  #leave(name: string, reason: string): void {
    const path = `${this.#artifact.pathInBundle}#${renamedIn(name, this.#renamed)}`;
    this.#outcome.unscanned.push({ path, reason });
  }
}
