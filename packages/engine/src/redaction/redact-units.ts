import {
  addMatches,
  type AddedArtifact,
  type ArtifactSource,
  digestOf,
  isJsonObject,
  type Omission,
  type OpOptions,
  parseArtifactPath,
  type RedactionOutcome,
  type RedactionPolicy,
  type RedactionReport,
} from "@keepsake/core";
import { readChunks } from "@keepsake/files";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";
import { redactTexts } from "./redact-texts.js";

/** Artifacts of one source (or the state values), and how they may be rewritten. */
export interface RedactionUnit {
  /** the source's */
  readonly id: string;
  /** brought up to date in place */
  readonly artifacts: StagedArtifactFile[];
  readonly source?: ArtifactSource;
  /** only these paths; a source that redacts as a whole gets all */
  readonly only?: ReadonlySet<string>;
  /** it was redacted before, and begins with what was there before that: its counts take the place of those */
  readonly isAnew?: boolean;
}

/** What was done over all units. */
export interface RedactionTotals {
  /** counts by rule, by path in the bundle; those of a source that does not tell by artifact under its id */
  readonly byArtifact: Map<string, Record<string, number>>;
  readonly touched: string[];
  readonly unscanned: { path: string; reason: string }[];
  readonly omitted: Omission[];
  readonly sourceFacts: Map<string, NonNullable<RedactionOutcome["source"]>>;
  readonly history: RedactionReport["history"];
}

/**
 * Redacts staged copies in place and brings their sizes and digests up to date. The live data is not touched.
 *
 * @param totals what was done before
 */
export async function redactUnits(
  units: readonly RedactionUnit[],
  policy: RedactionPolicy,
  options: OpOptions,
  totals: RedactionTotals = emptyTotals(),
): Promise<RedactionTotals> {
  for (const unit of units) {
    const outcome = await redactUnit(unit, policy, options);
    addOutcome(totals, unit, outcome);
    await bringUpToDate(unit, outcome);
  }
  return totals;
}

function emptyTotals(): RedactionTotals {
  return { byArtifact: new Map(), touched: [], unscanned: [], omitted: [], sourceFacts: new Map(), history: [] };
}

async function redactUnit(
  { artifacts, source, only }: RedactionUnit,
  policy: RedactionPolicy,
  options: OpOptions,
): Promise<RedactionOutcome> {
  const isMeant = ({ meta }: StagedArtifactFile): boolean =>
    only === undefined || source?.redacts === "whole" || only.has(meta.pathInBundle);
  const files = artifacts.filter(isMeant).flatMap(({ meta, file }) => {
    const { pathInBundle, nameEncoding, facts } = meta;
    if (file === undefined) return [];
    return [{ pathInBundle, file, ...(nameEncoding && { nameEncoding }), ...(facts && { facts }) }];
  });
  if (source?.redact !== undefined) return source.redact(files, policy, options);
  if (source?.content === "opaque") {
    const unscanned = files.map(({ pathInBundle }) => ({ path: pathInBundle, reason: "not_text" }));
    return { matches: {}, artifactsTouched: [], unscanned };
  }
  return redactTexts(artifacts.filter(isMeant), policy, options);
}

function addOutcome(totals: RedactionTotals, { id, only, isAnew }: RedactionUnit, outcome: RedactionOutcome): void {
  const {
    matches,
    byArtifact = { [id]: matches },
    artifactsTouched,
    unscanned,
    omitted = [],
    source,
    history,
  } = outcome;
  for (const [artifact, rules] of Object.entries(byArtifact)) {
    const sum = isAnew === true ? {} : (totals.byArtifact.get(artifact) ?? {});
    addMatches(sum, rules);
    if (Object.keys(sum).length > 0) totals.byArtifact.set(artifact, sum);
  }
  totals.touched.push(...artifactsTouched);
  // What could not be looked through the first time cannot be the second time either.
  if (only === undefined && isAnew !== true) totals.unscanned.push(...unscanned);
  const known = new Set(totals.omitted.map(({ source: owner, path }) => `${owner}/${path}`));
  totals.omitted.push(...omitted.filter((one) => !known.has(`${one.source}/${one.path}`)));
  if (source !== undefined) totals.sourceFacts.set(id, { ...totals.sourceFacts.get(id), ...source });
  if (history !== undefined && !totals.history.some((one) => one.source === id))
    totals.history.push({ source: id, outcome: history });
}

async function bringUpToDate({ id, artifacts, source }: RedactionUnit, outcome: RedactionOutcome): Promise<void> {
  const { artifactsTouched, removed = [], added = [], facts = {} } = outcome;
  const gone = new Set(removed);
  // Of a history that is left out nothing stays, neither a folder nor a link.
  const kept = outcome.history === "omitted" ? [] : artifacts.filter(({ meta }) => !gone.has(meta.pathInBundle));
  const touched = new Set(artifactsTouched);
  for (const [index, artifact] of kept.entries()) {
    const { meta, file } = artifact;
    if (file === undefined || !touched.has(meta.pathInBundle)) continue;
    const changed = facts[meta.pathInBundle];
    const digest = await digestOf(readChunks(file, 1 << 20));
    kept[index] = { ...artifact, meta: { ...meta, ...digest, ...(changed === undefined ? {} : { facts: changed }) } };
  }
  for (const one of added) kept.push(await stagedAddition(one, id, source));
  artifacts.splice(0, artifacts.length, ...kept);
}

async function stagedAddition(
  { pathInBundle, file, mode, mtimeMs, nameEncoding, facts }: AddedArtifact,
  id: string,
  source: ArtifactSource | undefined,
): Promise<StagedArtifactFile> {
  const digest = await digestOf(readChunks(file));
  const meta = {
    pathInBundle: parseArtifactPath(pathInBundle),
    kind: source?.kind ?? id,
    source: id,
    type: "file" as const,
    ...digest,
    mode: mode & 0o7777,
    mtimeMs,
    ...(nameEncoding === undefined ? {} : { nameEncoding }),
    ...(isJsonObject(facts) ? { facts } : {}),
  };
  return { meta, file };
}
