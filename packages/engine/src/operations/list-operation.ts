import { inject, injectable } from "tsyringe";
import { agentRefOf } from "../agent-ref.js";
import { SnapshotCatalog } from "../catalog/snapshot-catalog.js";
import type { ListReport, ListRequest, OperationOptions } from "../memory-snapshotter.js";
import { WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";

/** Lists snapshots from their records; opens no bundle. */
@injectable()
export class ListOperation {
  readonly #workspace: Workspace;

  constructor(@inject(WORKSPACE) workspace: Workspace) {
    this.#workspace = workspace;
  }

  async run({ agent, tenant }: ListRequest, options: OperationOptions): Promise<ListReport> {
    if (agent !== undefined) {
      const ref = agentRefOf({ agent, tenant });
      const { store } = await this.#workspace.storeOf(ref);
      return new SnapshotCatalog(store).list(ref, options);
    }
    const reports: ListReport[] = [];
    for (const store of this.#workspace.stores) reports.push(await new SnapshotCatalog(store).list(undefined, options));
    const mine = (of: string) => tenant === undefined || of === tenant;
    return {
      // Two stores that were synced have the same snapshots.
      snapshots: [...new Map(reports.flatMap((report) => report.snapshots.map((one) => [one.id, one]))).values()]
        .filter((record) => mine(record.tenant))
        .sort((a, b) => (a.id < b.id ? 1 : -1)),
      unreadable: reports.flatMap((report) => report.unreadable),
      missing: [...new Map(reports.flatMap(({ missing }) => missing.map((one) => [one.id, one]))).values()].filter(
        ({ id }) => !isWholeIn(reports, id) && reports.some(({ snapshots }) => isOf(snapshots, id, mine)),
      ),
    };
  }
}

/** A snapshot that one of two synced stores has whole is not missing. */
function isWholeIn(reports: readonly ListReport[], id: string): boolean {
  return reports.some(
    ({ snapshots, missing }) => snapshots.some((one) => one.id === id) && !missing.some((one) => one.id === id),
  );
}

function isOf(snapshots: ListReport["snapshots"], id: string, mine: (tenant: string) => boolean): boolean {
  return snapshots.some((record) => record.id === id && mine(record.tenant));
}
