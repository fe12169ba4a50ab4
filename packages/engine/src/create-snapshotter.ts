import "reflect-metadata";
import type { Clock, Logger } from "@keepsake/core";
import type { DependencyContainer } from "tsyringe";
import type { MemorySnapshotter } from "./memory-snapshotter.js";
import { DeleteOperation } from "./operations/delete-operation.js";
import { DiffOperation } from "./operations/diff-operation.js";
import { DoctorOperation } from "./operations/doctor-operation.js";
import { ExportOperation } from "./operations/export-operation.js";
import { ImportOperation } from "./operations/import-operation.js";
import { ListOperation } from "./operations/list-operation.js";
import { PruneOperation } from "./operations/prune-operation.js";
import { RecoverOperation } from "./operations/recover-operation.js";
import { RestoreOperation } from "./operations/restore-operation.js";
import { ShowOperation } from "./operations/show-operation.js";
import { SnapshotOperation } from "./operations/snapshot-operation.js";
import { SyncOperation } from "./operations/sync-operation.js";
import { VerifyOperation } from "./operations/verify-operation.js";
import { typed } from "./typed-failure.js";
import { ENGINE_CLOCK, ENGINE_LOGGER, WORKSPACE } from "./tokens.js";
import type { Workspace } from "./workspace.js";

/** What the engine needs beside the workspace. */
export interface EngineParts {
  readonly logger: Logger;
  readonly clock: Clock;
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
  return {
    snapshot: (request, options = {}) => typed(container.resolve(SnapshotOperation).run(request, options)),
    restore: (request, options = {}) => typed(container.resolve(RestoreOperation).run(request, options)),
    list: (request, options = {}) => typed(container.resolve(ListOperation).run(request, options)),
    show: (request, options = {}) => typed(container.resolve(ShowOperation).run(request, options)),
    verify: (request, options = {}) => typed(container.resolve(VerifyOperation).run(request, options)),
    diff: (request, options = {}) => typed(container.resolve(DiffOperation).run(request, options)),
    delete: (request, options = {}) => typed(container.resolve(DeleteOperation).run(request, options)),
    export: (request, options = {}) => typed(container.resolve(ExportOperation).run(request, options)),
    import: (request, options = {}) => typed(container.resolve(ImportOperation).run(request, options)),
    prune: (request, options = {}) => typed(container.resolve(PruneOperation).run(request, options)),
    recover: (request, options = {}) => typed(container.resolve(RecoverOperation).run(request, options)),
    doctor: (request, options = {}) => typed(container.resolve(DoctorOperation).run(request, options)),
    sync: (request, options = {}) => typed(container.resolve(SyncOperation).run(request, options)),
  };
}
