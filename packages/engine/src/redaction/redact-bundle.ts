import {
  composePolicies,
  KeepsakeError,
  type OpOptions,
  type Omission,
  type RedactionPolicy,
  type RedactionReport,
  redactText,
} from "@keepsake/core";
import { fragmentPolicy, recordingPolicy } from "./known-policies.js";
import { redactAgain, redactAll, unitsOf } from "./redact-all.js";
import { type BundleDraft, redactManifest } from "./redact-manifest.js";
import type { RedactionTotals, RedactionUnit } from "./redact-units.js";
import { MANIFEST_NAME, type ResidueSearch } from "./residue.js";
import type { RedactionOrder } from "./redaction-order.js";
import { SecretFragments } from "./secret-fragments.js";
import { watchPolicies } from "./watch-policies.js";

/** A redacted bundle before it is sealed, and what it is to be proven free of. */
export interface RedactedBundle extends BundleDraft {
  readonly report: RedactionReport;
  readonly search: ResidueSearch;
}

/** What was emptied holds nothing that could be scanned. */
const CLEAN_REASONS = new Set(["emptied_index"]);

/**
 * Takes what the policies find out of everything that will be in a bundle: contents, names, the manifest's own fields. What
 * was found in one place is then looked for in all the others, where perhaps no rule knows it.
 *
 * @throws KeepsakeError `E_REDACTION_BLOCKED`, `E_REDACTION_UNSCANNED`, what sources and policies throw
 */
export async function redactBundle(
  draft: BundleDraft,
  order: RedactionOrder,
  options: OpOptions,
): Promise<RedactedBundle> {
  const { sources, policies } = order;
  const warnings = await watchPolicies(draft, order, options);
  const fragments = new SecretFragments();
  const known = fragmentPolicy(fragments, policies.policy.rules);
  const policy = withKnown(recordingPolicy(policies.policy, fragments), known);
  // A secret that stands in a name is one in the contents, too.
  redactManifest(draft, policy, new Set());
  const units = unitsOf(draft.artifacts, sources);
  const totals = await redactAll(units, policy, fragments, order.staging, options);
  const search: ResidueSearch = { fragments, sources, kept: keptSources(totals) };
  await redactAgain(units, policy, search, totals, options);
  const artifacts = units.flatMap((unit) => unit.artifacts);
  const changed = withSourceFacts({ unsealed: draft.unsealed, artifacts }, totals);
  const redacted = redactManifest(changed, policy, ownNames(units));
  const place = placeName(redacted.names.path.bind(redacted.names), policy);
  const report: RedactionReport = {
    policy: policies.policy.id,
    rulesApplied: [...policies.policy.rules],
    ...counted(totals, redacted.matches, place),
    artifactsTouched: [...new Set(totals.touched)].map(place).sort(),
    warnings: warnings.map((one) => ({ ...one, artifact: place(one.artifact) })),
    unscanned: totals.unscanned.map(({ path, reason }) => ({ path: place(path), reason })),
    history: totals.history,
    renamed: redacted.names.count,
  };
  checkClean(report, order.requireClean);
  return { unsealed: { ...redacted.unsealed, redactions: report }, artifacts: redacted.artifacts, report, search };
}

/** Where the replacement of the policy stands for what the other one knows, too. */
function withKnown(policy: RedactionPolicy, known: RedactionPolicy): RedactionPolicy {
  return composePolicies([policy, known], policy.id);
}

/** Where artifacts name each other, names are their source's to change. */
function ownNames(units: readonly RedactionUnit[]): ReadonlySet<string> {
  return new Set(units.filter(({ source }) => source?.redacts === "whole").map(({ id }) => id));
}

function keptSources({ history }: RedactionTotals): ReadonlySet<string> {
  return new Set(history.filter(({ outcome }) => outcome === "unredacted").map(({ source }) => source));
}

/** What redactions of sources say of themselves in the manifest. */
function withSourceFacts({ unsealed, artifacts }: BundleDraft, totals: RedactionTotals): BundleDraft {
  const own = new Map(totals.sourceFacts);
  const omitted: readonly Omission[] = totals.omitted;
  const git = [...own.values()].find((facts) => facts.git !== undefined)?.git;
  return {
    artifacts,
    unsealed: {
      ...unsealed,
      ...(git === undefined ? {} : { git }),
      artifacts: artifacts.map(({ meta }) => meta),
      omitted: [...unsealed.omitted, ...omitted],
      sources: unsealed.sources.map((source) => {
        const mine = artifacts.filter(({ meta }) => meta.source === source.id);
        const facts = own.get(source.id)?.facts;
        return {
          ...source,
          artifacts: mine.length,
          bytes: mine.reduce((sum, { meta }) => sum + meta.sizeBytes, 0),
          omitted: source.omitted + omitted.filter((one) => one.source === source.id).length,
          ...(facts === undefined ? {} : { facts }),
        };
      }),
    },
  };
}

function placeName(path: (path: string) => string, policy: RedactionPolicy): (place: string) => string {
  return (place) => {
    const [artifact = "", ...inside] = place.split("#");
    const within = inside.length === 0 ? "" : `#${inside.join("#")}`;
    return path(artifact) + redactText(within, policy, { path: MANIFEST_NAME }).text;
  };
}

function counted(
  { byArtifact }: RedactionTotals,
  inManifest: Readonly<Record<string, number>>,
  place: (path: string) => string,
): Pick<RedactionReport, "findings" | "matchesRedacted"> {
  const all = [...byArtifact, [MANIFEST_NAME, inManifest] as const];
  const findings = all.flatMap(([artifact, rules]) =>
    Object.entries(rules).map(([rule, count]) => ({
      artifact: artifact === MANIFEST_NAME ? artifact : place(artifact),
      rule,
      count,
    })),
  );
  findings.sort((a, b) => (a.artifact === b.artifact ? (a.rule < b.rule ? -1 : 1) : a.artifact < b.artifact ? -1 : 1));
  return { findings, matchesRedacted: findings.reduce((sum, { count }) => sum + count, 0) };
}

function checkClean({ unscanned }: RedactionReport, requireClean: boolean): void {
  const left = unscanned.filter(({ reason }) => !CLEAN_REASONS.has(reason));
  const [first] = left;
  if (!requireClean || first === undefined) return;
  const more = left.length === 1 ? "" : `, and ${String(left.length - 1)} more`;
  throw new KeepsakeError(
    "E_REDACTION_UNSCANNED",
    `${first.path} could not be looked through (${first.reason})${more}; nothing was published.`,
    {
      context: { unscanned: left.map((one) => ({ ...one })) },
      hint: "Leave it out of the snapshot, or go without --require-clean.",
    },
  );
}
