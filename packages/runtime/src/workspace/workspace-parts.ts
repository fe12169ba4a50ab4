import type { LoadedConfig } from "../config/load-config.js";
import type { Kernel } from "../kernel/kernel.js";

/** What a workspace is made from. */
export interface WorkspaceParts {
  readonly loaded: LoadedConfig;
  readonly kernel: Kernel;
  /** relative paths of requests are relative to this absolute folder */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}
