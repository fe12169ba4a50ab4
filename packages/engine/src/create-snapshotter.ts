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
import { VerifyOperation } from "./operations/verify-operation.js";
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
    snapshot: (request, options = {}) => container.resolve(SnapshotOperation).run(request, options),
    restore: (request, options = {}) => container.resolve(RestoreOperation).run(request, options),
    list: (request, options = {}) => container.resolve(ListOperation).run(request, options),
    show: (request, options = {}) => container.resolve(ShowOperation).run(request, options),
    verify: (request, options = {}) => container.resolve(VerifyOperation).run(request, options),
    diff: (request, options = {}) => container.resolve(DiffOperation).run(request, options),
    delete: (request, options = {}) => container.resolve(DeleteOperation).run(request, options),
    export: (request, options = {}) => container.resolve(ExportOperation).run(request, options),
    import: (request, options = {}) => container.resolve(ImportOperation).run(request, options),
    prune: (request, options = {}) => container.resolve(PruneOperation).run(request, options),
    recover: (request, options = {}) => container.resolve(RecoverOperation).run(request, options),
    doctor: (request, options = {}) => container.resolve(DoctorOperation).run(request, options),
  };
}
