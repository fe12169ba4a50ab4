import "reflect-metadata";
import type { Clock, Logger } from "@keepsake/core";
import type { DependencyContainer, InjectionToken } from "tsyringe";
import type { MemorySnapshotter, OperationOptions } from "./memory-snapshotter.js";
import { checkedOptions, checkedRequest } from "./requests.js";
import { typed } from "./typed-failure.js";
import { ENGINE_CLOCK, ENGINE_LOGGER, WORKSPACE } from "./tokens.js";
import type { Workspace } from "./workspace.js";

/** What the engine needs beside the workspace. */
export interface EngineParts {
  readonly logger: Logger;
  readonly clock: Clock;
}

interface Operation<R, T> {
  run(request: R, options: OperationOptions): Promise<T>;
}

/** Registers what the operations need in a child container of the caller's, and returns the operations as one. */
export function createSnapshotter(
  container: DependencyContainer,
  workspace: Workspace,
  { logger, clock }: EngineParts,
): MemorySnapshotter {
  container.register(WORKSPACE, { useValue: workspace });
  container.register(ENGINE_LOGGER, { useValue: logger });
  container.register(ENGINE_CLOCK, { useValue: clock });
  /**
   * One operation, loaded when it is first asked for. What it is asked is checked first, and what it throws is made an error
   * with a code.
   */
  const asked =
    <R, T>(name: keyof MemorySnapshotter, load: () => Promise<new (...parts: never[]) => Operation<R, T>>) =>
    (request?: R, options?: OperationOptions): Promise<T> =>
      typed(async () => {
        const known = checkedRequest(name, request) as R;
        const operation = container.resolve((await load()) as InjectionToken<Operation<R, T>>);
        return operation.run(known, checkedOptions(name, options));
      });
  return {
    snapshot: asked("snapshot", async () => (await import("./operations/snapshot-operation.js")).SnapshotOperation),
    restore: asked("restore", async () => (await import("./operations/restore-operation.js")).RestoreOperation),
    list: asked("list", async () => (await import("./operations/list-operation.js")).ListOperation),
    show: asked("show", async () => (await import("./operations/show-operation.js")).ShowOperation),
    verify: asked("verify", async () => (await import("./operations/verify-operation.js")).VerifyOperation),
    diff: asked("diff", async () => (await import("./operations/diff-operation.js")).DiffOperation),
    delete: asked("delete", async () => (await import("./operations/delete-operation.js")).DeleteOperation),
    export: asked("export", async () => (await import("./operations/export-operation.js")).ExportOperation),
    import: asked("import", async () => (await import("./operations/import-operation.js")).ImportOperation),
    scan: asked("scan", async () => (await import("./operations/scan-operation.js")).ScanOperation),
    rules: asked("rules", async () => (await import("./operations/rules-operation.js")).RulesOperation),
    prune: asked("prune", async () => (await import("./operations/prune-operation.js")).PruneOperation),
    recover: asked("recover", async () => (await import("./operations/recover-operation.js")).RecoverOperation),
    doctor: asked("doctor", async () => (await import("./operations/doctor-operation.js")).DoctorOperation),
    sync: asked("sync", async () => (await import("./operations/sync-operation.js")).SyncOperation),
  };
}
