import { createWriteStream } from "node:fs";
import { access, readFile, rename, rm, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import {
  addMatches,
  abortable,
  type OpOptions,
  type RedactionOutcome,
  type RedactionPolicy,
  redactDocument,
  redactStream,
  type ScanContext,
  type StreamOutcome,
} from "@keepsake/core";
import { readChunks } from "@keepsake/files";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";
import { contentReason } from "./unscanned-reason.js";

/** A text larger than this is redacted window by window, in bytes: as one string it would take several times its size. */
const MAX_WHOLE_BYTES = 8 * 1024 * 1024;

/**
 * Redacts staged texts in place; what is no text stays as it is, and is told of. What was there before lies beside it, and is
 * what a second call begins with: so a text comes out the same as where all that is known the second time was known at once.
 */
export async function redactTexts(
  artifacts: readonly StagedArtifactFile[],
  policy: RedactionPolicy,
  { signal }: OpOptions,
): Promise<RedactionOutcome> {
  const byArtifact: Record<string, Record<string, number>> = {};
  const unscanned: { path: string; reason: string }[] = [];
  for (const { meta, file } of artifacts) {
    signal?.throwIfAborted();
    if (file === undefined) continue;
    const where = { path: meta.pathInBundle };
    const from = await originalOf(file);
    const outcome =
      meta.sizeBytes > MAX_WHOLE_BYTES
        ? await redactLarge(from, file, policy, where, signal)
        : await redactWhole(from, file, policy, where);
    const reason = await contentReason(file, outcome.unscanned);
    if (reason !== undefined) unscanned.push({ path: meta.pathInBundle, reason });
    if (outcome.unscanned === undefined && Object.keys(outcome.matches).length > 0)
      byArtifact[meta.pathInBundle] = outcome.matches;
  }
  return { matches: summed(byArtifact), byArtifact, artifactsTouched: Object.keys(byArtifact), unscanned };
}

function summed(byArtifact: Readonly<Record<string, Readonly<Record<string, number>>>>): Record<string, number> {
  const matches: Record<string, number> = {};
  for (const rules of Object.values(byArtifact)) addMatches(matches, rules);
  return matches;
}

async function redactWhole(
  from: string,
  file: string,
  policy: RedactionPolicy,
  where: ScanContext,
): Promise<StreamOutcome> {
  const redacted = redactDocument(await readFile(from), policy, where);
  if (redacted.unscanned !== undefined) return { matches: {}, unscanned: redacted.unscanned };
  const { bytes, matches } = redacted;
  if (Object.keys(matches).length > 0) {
    await setAside(from, file);
    await writeFile(file, bytes, { mode: 0o600 });
  }
  return { matches };
}

/** Writes what is redacted beside the file, and then in its place. */
async function redactLarge(
  from: string,
  file: string,
  policy: RedactionPolicy,
  where: ScanContext,
  signal: AbortSignal | undefined,
): Promise<StreamOutcome> {
  const outcome: StreamOutcome = { matches: {} };
  const target = `${file}.redacted`;
  try {
    const output = redactStream(abortable(readChunks(from), signal), policy, where, outcome);
    await pipeline(output, createWriteStream(target, { flags: "wx", mode: 0o600 }), { signal });
    if (outcome.unscanned === undefined && Object.keys(outcome.matches).length > 0) {
      await setAside(from, file);
      await rename(target, file);
    }
  } finally {
    await rm(target, { force: true });
  }
  return outcome;
}

const asideOf = (file: string): string => `${file}.was`;

async function originalOf(file: string): Promise<string> {
  const aside = asideOf(file);
  return await access(aside).then(
    () => aside,
    () => file,
  );
}

async function setAside(from: string, file: string): Promise<void> {
  if (from === file) await rename(file, asideOf(file));
}
