import { constants } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactSource, OpOptions, RedactionPolicy } from "@keepsake/core";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";
import type { PrivateStaging } from "../snapshot/private-staging.js";
import { redactUnits, type RedactionTotals, type RedactionUnit } from "./redact-units.js";
import { residueOf, type ResidueSearch } from "./residue.js";
import type { SecretFragments } from "./secret-fragments.js";

/** A rewritten artifact may show a known secret again where a source put parts together: more rounds are not needed. */
const MAX_ROUNDS = 3;

/** By source. Those that are redacted as a whole last: what was found until then is known when they are. */
export function unitsOf(artifacts: readonly StagedArtifactFile[], sources: readonly ArtifactSource[]): RedactionUnit[] {
  const ids = [...new Set(artifacts.map(({ meta }) => meta.source))];
  const units = ids.map((id): RedactionUnit => {
    const source = sources.find((candidate) => candidate.id === id);
    const own = artifacts.filter(({ meta }) => meta.source === id);
    return source === undefined ? { id, artifacts: own } : { id, artifacts: own, source };
  });
  const weight = ({ source }: RedactionUnit): number =>
    (source?.redact === undefined ? 0 : 1) + Number(source?.redacts === "whole");
  return units.sort((a, b) => weight(a) - weight(b));
}

/**
 * Redacts all units. What a later one finds, an earlier one may hold: texts in which something was found, and histories, are
 * then redacted anew from what they were, so that a note and the same note in a history come out alike.
 */
export async function redactAll(
  units: readonly RedactionUnit[],
  policy: RedactionPolicy,
  fragments: SecretFragments,
  staging: PrivateStaging,
  options: OpOptions,
): Promise<RedactionTotals> {
  let totals: RedactionTotals | undefined;
  const known = new Map<string, number>();
  for (const unit of units) {
    known.set(unit.id, fragments.size);
    const spare = isOneWhole(unit) ? await copiesOf(unit.artifacts, staging, options) : [];
    totals = await redactUnits([unit], policy, options, totals);
    if (spare.length === 0 || fragments.size === known.get(unit.id)) continue;
    unit.artifacts.splice(0, unit.artifacts.length, ...spare);
    totals = await redactUnits([{ ...unit, isAnew: true }], policy, options, totals);
  }
  const done = totals ?? (await redactUnits([], policy, options));
  for (const unit of units) {
    if (unit.source?.redact !== undefined || fragments.size === known.get(unit.id)) continue;
    const only = new Set(
      unit.artifacts.map(({ meta }) => meta.pathInBundle).filter((path) => done.byArtifact.has(path)),
    );
    if (only.size > 0) await redactUnits([{ ...unit, only, isAnew: true }], policy, options, done);
  }
  return done;
}

function isOneWhole({ source }: RedactionUnit): boolean {
  return source?.redacts === "whole" && source.redact !== undefined;
}

/** The same artifacts with files of their own. */
async function copiesOf(
  artifacts: readonly StagedArtifactFile[],
  staging: PrivateStaging,
  { signal }: OpOptions,
): Promise<StagedArtifactFile[]> {
  const folder = await staging.folder("spare");
  const copies: StagedArtifactFile[] = [];
  for (const { meta, file } of artifacts) {
    signal?.throwIfAborted();
    if (file === undefined) {
      copies.push({ meta });
      continue;
    }
    const copy = join(folder, String(copies.length));
    await copyFile(file, copy, constants.COPYFILE_FICLONE);
    copies.push({ meta, file: copy });
  }
  return copies;
}

/** Looks into what is staged for what was found elsewhere, and has it rewritten once more where something is left. */
export async function redactAgain(
  units: readonly RedactionUnit[],
  policy: RedactionPolicy,
  search: ResidueSearch,
  totals: RedactionTotals,
  options: OpOptions,
): Promise<void> {
  let size = -1;
  for (let round = 0; round < MAX_ROUNDS && search.fragments.size > 0; round++) {
    if (size === search.fragments.size && round > 1) return;
    ({ size } = search.fragments);
    const dirty: RedactionUnit[] = [];
    for (const unit of units) {
      if (search.kept.has(unit.id)) continue;
      const left = await leftIn(unit, search, options);
      const isAnew = unit.source?.redact === undefined;
      if (left.length > 0) dirty.push({ ...unit, only: new Set(left), isAnew });
    }
    if (dirty.length === 0) return;
    await redactUnits(dirty, policy, options, totals);
  }
}

async function leftIn(unit: RedactionUnit, search: ResidueSearch, options: OpOptions): Promise<readonly string[]> {
  const left: string[] = [];
  for (const artifact of unit.artifacts) {
    options.signal?.throwIfAborted();
    if ((await residueOf(artifact, search, options)) !== undefined) left.push(artifact.meta.pathInBundle);
  }
  return left;
}
