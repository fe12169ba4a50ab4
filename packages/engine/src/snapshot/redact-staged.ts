import { createReadStream, createWriteStream } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import {
  type ArtifactSource,
  digestOf,
  type OpOptions,
  type RedactionOutcome,
  type RedactionPolicy,
  type RedactionReport,
  redactDocument,
  redactStream,
  type ScanContext,
  type StreamOutcome,
} from "@keepsake/core";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";

/** A text larger than this is redacted window by window, in bytes: as one string it would take several times its size. */
const MAX_WHOLE_BYTES = 8 * 1024 * 1024;

/** Artifacts of one source (or the state values), and how they may be rewritten. */
export interface RedactionUnit {
  readonly artifacts: StagedArtifactFile[];
  readonly source?: ArtifactSource;
}

/**
 * Redacts staged copies in place and brings their sizes and digests up to date. The live data is not touched.
 *
 * @returns what was done; never what was found
 */
export async function redactStaged(
  units: readonly RedactionUnit[],
  policy: RedactionPolicy,
  options: OpOptions,
): Promise<RedactionReport> {
  const total: Totals = { matches: {}, touched: [], unscanned: [] };
  for (const { artifacts, source } of units) {
    const outcome = await redactUnit(artifacts, source, policy, options);
    for (const [rule, count] of Object.entries(outcome.matches))
      total.matches[rule] = (total.matches[rule] ?? 0) + count;
    total.touched.push(...outcome.artifactsTouched);
    total.unscanned.push(...outcome.unscanned);
    await rehash(artifacts, new Set(outcome.artifactsTouched), outcome.facts ?? {});
  }
  return {
    policy: policy.id,
    rulesApplied: [...policy.rules],
    matchesRedacted: Object.values(total.matches).reduce((sum, count) => sum + count, 0),
    artifactsTouched: total.touched.sort(),
    unscanned: total.unscanned,
  };
}

interface Totals {
  readonly matches: Record<string, number>;
  readonly touched: string[];
  readonly unscanned: { path: string; reason: string }[];
}

function addMatches({ matches }: Totals, more: Readonly<Record<string, number>>): void {
  for (const [rule, count] of Object.entries(more)) matches[rule] = (matches[rule] ?? 0) + count;
}

async function redactUnit(
  artifacts: readonly StagedArtifactFile[],
  source: ArtifactSource | undefined,
  policy: RedactionPolicy,
  options: OpOptions,
): Promise<RedactionOutcome> {
  const files = artifacts.flatMap(({ meta, file }) =>
    file === undefined ? [] : [{ pathInBundle: meta.pathInBundle, file }],
  );
  if (source?.redact !== undefined) return source.redact(files, policy, options);
  if (source?.content === "opaque") {
    const unscanned = files.map(({ pathInBundle }) => ({ path: pathInBundle, reason: "not_text" }));
    return { matches: {}, artifactsTouched: [], unscanned };
  }
  return redactTexts(artifacts, policy, options);
}

async function redactTexts(
  artifacts: readonly StagedArtifactFile[],
  policy: RedactionPolicy,
  { signal }: OpOptions,
): Promise<RedactionOutcome> {
  const total: Totals = { matches: {}, touched: [], unscanned: [] };
  for (const { meta, file } of artifacts) {
    signal?.throwIfAborted();
    if (file === undefined) continue;
    const where = { path: meta.pathInBundle };
    const outcome =
      meta.sizeBytes > MAX_WHOLE_BYTES
        ? await redactLarge(file, policy, where, signal)
        : await redactWhole(file, policy, where);
    if (outcome.unscanned !== undefined) {
      total.unscanned.push({ path: meta.pathInBundle, reason: outcome.unscanned });
      continue;
    }
    if (Object.keys(outcome.matches).length === 0) continue;
    addMatches(total, outcome.matches);
    total.touched.push(meta.pathInBundle);
  }
  return { matches: total.matches, artifactsTouched: total.touched, unscanned: total.unscanned };
}

async function redactWhole(file: string, policy: RedactionPolicy, where: ScanContext): Promise<StreamOutcome> {
  const redacted = redactDocument(await readFile(file), policy, where);
  if (redacted.unscanned !== undefined) return { matches: {}, unscanned: redacted.unscanned };
  const { bytes, matches } = redacted;
  if (Object.keys(matches).length > 0) await writeFile(file, bytes);
  return { matches };
}

/** Writes what is redacted beside the file, and then in its place. */
async function redactLarge(
  file: string,
  policy: RedactionPolicy,
  where: ScanContext,
  signal: AbortSignal | undefined,
): Promise<StreamOutcome> {
  const outcome: StreamOutcome = { matches: {} };
  const target = `${file}.redacted`;
  try {
    const output = redactStream(createReadStream(file, { signal }), policy, where, outcome);
    await pipeline(output, createWriteStream(target, { flags: "wx", mode: 0o600 }), { signal });
    if (outcome.unscanned === undefined && Object.keys(outcome.matches).length > 0) await rename(target, file);
  } finally {
    await rm(target, { force: true });
  }
  return outcome;
}

async function rehash(
  artifacts: StagedArtifactFile[],
  touched: ReadonlySet<string>,
  facts: NonNullable<RedactionOutcome["facts"]>,
): Promise<void> {
  for (const [index, artifact] of artifacts.entries()) {
    if (artifact.file === undefined || !touched.has(artifact.meta.pathInBundle)) continue;
    const digest = await digestOf(createReadStream(artifact.file));
    const changed = facts[artifact.meta.pathInBundle];
    const meta = { ...artifact.meta, ...digest, ...(changed === undefined ? {} : { facts: changed }) };
    artifacts[index] = { ...artifact, meta };
  }
}
