import { canonicalJson, type Manifest, type SnapshotRecord } from "@keepsake/core";
import type { DiffSource, PlanItem, RestoreReport, RestoreRequest } from "../memory-snapshotter.js";
import { STATE_FOLDER } from "../snapshot/stage-state.js";
import type { AgentProfile } from "../workspace.js";
import { restoreNotices } from "./restore-notices.js";
import type { RestoreTransaction } from "./restore-transaction.js";

/** What a report is made of. */
export interface ReportFacts {
  readonly request: RestoreRequest;
  readonly profile: AgentProfile;
  readonly manifest: Manifest;
  readonly transaction: RestoreTransaction;
  readonly workersRestarted: boolean;
  readonly preSnapshot?: SnapshotRecord;
  readonly difference?: readonly DiffSource[];
  /** beside those that the restore itself gives reason for */
  readonly notices?: readonly string[];
}

/** What a restore did, or would do. */
export function restoreReport(facts: ReportFacts): RestoreReport {
  const { request, profile, manifest, transaction, preSnapshot, workersRestarted } = facts;
  const { plans, selection } = transaction;
  const takes = ({ source }: Artifact, path: string): boolean =>
    selection === undefined || selection.isWhole(source) || selection.took(source, path);
  const { headOid } = manifest.git;
  const hasHead =
    !/^0*$/.test(headOid) && manifest.artifacts.some((one) => one.kind === "git_bundle" && takes(one, ""));
  return {
    agentId: profile.ref.agent,
    from: manifest.snapshotId,
    ...(preSnapshot === undefined ? {} : { preSnapshot: preSnapshot.id }),
    ...(hasHead ? { gitResetOid: headOid } : {}),
    sqliteRestoredDbs: manifest.artifacts
      .filter((artifact) => isDatabase(artifact) && takes(artifact, inSource(artifact)))
      .map((artifact) => inSource(artifact)),
    stateFilesRestored: (transaction.state?.to ?? []).map(({ key }) => key),
    workersRestarted,
    dryRun: request.dryRun === true,
    ...(selection === undefined ? {} : { only: request.only ?? [] }),
    plan: [
      ...plans.flatMap(({ source, plan }) => plan.changes.map((change) => ({ source, ...change }))),
      ...stateChanges(transaction),
    ],
    ...(facts.difference === undefined ? {} : { difference: facts.difference }),
    notices: [...restoreNotices(profile, manifest, transaction, preSnapshot), ...(facts.notices ?? [])],
  };
}

type Artifact = Manifest["artifacts"][number];

/** The kinds of databases keep the names of the original tool: all begin alike. */
function isDatabase({ kind, type }: Artifact): boolean {
  return type === "file" && kind.startsWith("sqlite");
}

function inSource({ pathInBundle, source }: Artifact): string {
  return pathInBundle.slice(source.length + 1);
}

function stateChanges({ state }: RestoreTransaction): PlanItem[] {
  if (state === undefined) return [];
  const before = new Map(state.before.map(({ key, value }) => [key, canonicalJson(value)]));
  const isThere = (key: string): boolean => before.has(key) || state.unread?.includes(key) === true;
  const after = new Map(state.to.map(({ key, value }) => [key, canonicalJson(value)]));
  const changes: PlanItem[] = [];
  for (const [key, value] of after) {
    if (!isThere(key)) changes.push({ source: STATE_FOLDER, action: "create", path: key });
    else if (before.get(key) !== value) changes.push({ source: STATE_FOLDER, action: "replace", path: key });
  }
  for (const key of [...before.keys(), ...(state.unread ?? [])])
    if (!after.has(key)) changes.push({ source: STATE_FOLDER, action: "delete", path: key });
  return changes;
}
