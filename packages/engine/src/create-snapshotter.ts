import "reflect-metadata";
import type { Clock, Logger } from "@keepsake/core";
import type { DependencyContainer, InjectionToken } from "tsyringe";
import type { MemorySnapshotter, OperationOptions } from "./memory-snapshotter.js";
import { DeleteOperation } from "./operations/delete-operation.js";
import { DiffOperation } from "./operations/diff-operation.js";
import { DoctorOperation } from "./operations/doctor-operation.js";
import { ExportOperation } from "./operations/export-operation.js";
import { ImportOperation } from "./operations/import-operation.js";
import { ListOperation } from "./operations/list-operation.js";
import { PruneOperation } from "./operations/prune-operation.js";
import { RecoverOperation } from "./operations/recover-operation.js";
import { RestoreOperation } from "./operations/restore-operation.js";
import { RulesOperation } from "./operations/rules-operation.js";
import { ScanOperation } from "./operations/scan-operation.js";
import { ShowOperation } from "./operations/show-operation.js";
import { SnapshotOperation } from "./operations/snapshot-operation.js";
import { SyncOperation } from "./operations/sync-operation.js";
import { VerifyOperation } from "./operations/verify-operation.js";
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
  /** One operation: what it is asked is checked first, and what it throws is made an error with a code. */
  const asked =
    <R, T>(name: keyof MemorySnapshotter, type: new (...parts: never[]) => Operation<R, T>) =>
    (request?: R, options?: OperationOptions): Promise<T> =>
      typed(async () => {
        const known = checkedRequest(name, request) as R;
        const operation = container.resolve<Operation<R, T>>(type as InjectionToken<Operation<R, T>>);
        return operation.run(known, checkedOptions(name, options));
      });
  return {
    snapshot: asked("snapshot", SnapshotOperation),
    restore: asked("restore", RestoreOperation),
    list: asked("list", ListOperation),
    show: asked("show", ShowOperation),
    verify: asked("verify", VerifyOperation),
    diff: asked("diff", DiffOperation),
    delete: asked("delete", DeleteOperation),
    export: asked("export", ExportOperation),
    import: asked("import", ImportOperation),
    scan: asked("scan", ScanOperation),
    rules: asked("rules", RulesOperation),
    prune: asked("prune", PruneOperation),
    recover: asked("recover", RecoverOperation),
    doctor: asked("doctor", DoctorOperation),
    sync: asked("sync", SyncOperation),
  };
}
