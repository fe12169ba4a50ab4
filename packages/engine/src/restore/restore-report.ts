import { canonicalJson, type Manifest, type SnapshotRecord } from "@keepsake/core";
import type { PlanItem, RestoreReport, RestoreRequest } from "../memory-snapshotter.js";
import { STATE_FOLDER } from "../snapshot/stage-state.js";
import type { AgentProfile } from "../workspace.js";
import type { RestoreTransaction } from "./restore-transaction.js";

/** What a report is made of. */
export interface ReportFacts {
  readonly request: RestoreRequest;
  readonly profile: AgentProfile;
  readonly manifest: Manifest;
  readonly transaction: RestoreTransaction;
  readonly workersRestarted: boolean;
  readonly preSnapshot?: SnapshotRecord;
}

/** What a restore did, or would do. */
export function restoreReport(facts: ReportFacts): RestoreReport {
  const { request, profile, manifest, transaction, preSnapshot, workersRestarted } = facts;
  const plans = transaction.plans;
  const notices = plans.flatMap(({ plan }) => [...plan.notices]);
  if (preSnapshot?.complete === false) notices.push("The pre-restore snapshot is incomplete: see its omitted entries.");
  const oid = manifest.git.headOid;
  return {
    agentId: profile.ref.agent,
    from: manifest.snapshotId,
    ...(preSnapshot === undefined ? {} : { preSnapshot: preSnapshot.id }),
    ...(/^0*$/.test(oid) ? {} : { gitResetOid: oid }),
    sqliteRestoredDbs: manifest.artifacts.filter(isDatabase).map((artifact) => inSource(artifact)),
    stateFilesRestored: (transaction.state?.to ?? []).map(({ key }) => key),
    workersRestarted,
    dryRun: request.dryRun === true,
    plan: [
      ...plans.flatMap(({ source, plan }) => plan.changes.map((change) => ({ source, ...change }))),
      ...stateChanges(transaction),
    ],
    notices,
  };
}

/** The kinds of databases keep the names of the original tool: all begin alike. */
function isDatabase({ kind, type }: Manifest["artifacts"][number]): boolean {
  return type === "file" && kind.startsWith("sqlite");
}

function inSource({ pathInBundle, source }: Manifest["artifacts"][number]): string {
  return pathInBundle.slice(source.length + 1);
}

function stateChanges({ state }: RestoreTransaction): PlanItem[] {
  if (state === undefined) return [];
  const before = new Map(state.before.map(({ key, value }) => [key, canonicalJson(value)]));
  const after = new Map(state.to.map(({ key, value }) => [key, canonicalJson(value)]));
  const changes: PlanItem[] = [];
  for (const [key, value] of after) {
    if (!before.has(key)) changes.push({ source: STATE_FOLDER, action: "create", path: key });
    else if (before.get(key) !== value) changes.push({ source: STATE_FOLDER, action: "replace", path: key });
  }
  for (const key of before.keys())
    if (!after.has(key)) changes.push({ source: STATE_FOLDER, action: "delete", path: key });
  return changes;
}
