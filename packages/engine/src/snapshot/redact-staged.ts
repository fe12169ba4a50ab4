import { createReadStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import {
  type ArtifactSource,
  digestOf,
  type OpOptions,
  type RedactionOutcome,
  type RedactionPolicy,
  type RedactionReport,
  redactText,
} from "@keepsake/core";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";

/** A text larger than this is listed as unscanned, in bytes: it is scanned as one string. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

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
    const text = await readText(file, meta.sizeBytes);
    if (text.reason !== undefined) {
      total.unscanned.push({ path: meta.pathInBundle, reason: text.reason });
      continue;
    }
    const redacted = redactText(text.value, policy, { path: meta.pathInBundle });
    if (redacted.text === text.value) continue;
    addMatches(total, redacted.matches);
    await writeFile(file, redacted.text);
    total.touched.push(meta.pathInBundle);
  }
  return { matches: total.matches, artifactsTouched: total.touched, unscanned: total.unscanned };
}

type ReadText = { readonly value: string; readonly reason?: undefined } | { readonly reason: "binary" | "too_large" };

async function readText(file: string, sizeBytes: number): Promise<ReadText> {
  if (sizeBytes > MAX_TEXT_BYTES) return { reason: "too_large" };
  const bytes = await readFile(file);
  if (bytes.includes(0)) return { reason: "binary" };
  const value = bytes.toString("utf8");
  return Buffer.from(value, "utf8").equals(bytes) ? { value } : { reason: "binary" };
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
