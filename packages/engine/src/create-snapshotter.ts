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
import { checkedRequest } from "./requests.js";
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
    snapshot: (request, options = {}) =>
      typed(async () => container.resolve(SnapshotOperation).run(checkedRequest("snapshot", request), options)),
    restore: (request, options = {}) =>
      typed(async () => container.resolve(RestoreOperation).run(checkedRequest("restore", request), options)),
    list: (request, options = {}) =>
      typed(async () => container.resolve(ListOperation).run(checkedRequest("list", request), options)),
    show: (request, options = {}) =>
      typed(async () => container.resolve(ShowOperation).run(checkedRequest("show", request), options)),
    verify: (request, options = {}) =>
      typed(async () => container.resolve(VerifyOperation).run(checkedRequest("verify", request), options)),
    diff: (request, options = {}) =>
      typed(async () => container.resolve(DiffOperation).run(checkedRequest("diff", request), options)),
    delete: (request, options = {}) =>
      typed(async () => container.resolve(DeleteOperation).run(checkedRequest("delete", request), options)),
    export: (request, options = {}) =>
      typed(async () => container.resolve(ExportOperation).run(checkedRequest("export", request), options)),
    import: (request, options = {}) =>
      typed(async () => container.resolve(ImportOperation).run(checkedRequest("import", request), options)),
    prune: (request, options = {}) =>
      typed(async () => container.resolve(PruneOperation).run(checkedRequest("prune", request), options)),
    recover: (request, options = {}) =>
      typed(async () => container.resolve(RecoverOperation).run(checkedRequest("recover", request), options)),
    doctor: (request, options = {}) =>
      typed(async () => container.resolve(DoctorOperation).run(checkedRequest("doctor", request), options)),
    sync: (request, options = {}) =>
      typed(async () => container.resolve(SyncOperation).run(checkedRequest("sync", request), options)),
  };
}
