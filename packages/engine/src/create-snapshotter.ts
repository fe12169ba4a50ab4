import { type Clock, KeepsakeError, type Logger } from "@keepsake/core";
import type { DependencyContainer } from "tsyringe";
import type { MemorySnapshotter } from "./memory-snapshotter.js";
import type { Workspace } from "./workspace.js";

/** What the engine needs beside the workspace. */
export interface EngineParts {
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Registers the operations in a child container and returns them as one. */
export function createSnapshotter(
  _container: DependencyContainer,
  _workspace: Workspace,
  _parts: EngineParts,
): MemorySnapshotter {
  const missing = async (): Promise<never> => {
    throw new KeepsakeError("E_INTERNAL", "The engine's operations are not built yet.");
  };
  return {
    snapshot: missing,
    restore: missing,
    list: missing,
    show: missing,
    verify: missing,
    diff: missing,
    delete: missing,
    export: missing,
    import: missing,
    prune: missing,
    recover: missing,
    doctor: missing,
  };
}
