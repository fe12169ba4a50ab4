import { CLOCK, LOGGER, SECRETS, STATE_ROOT, STORE_TROUBLES, SYSTEM_CLOCK } from "@keepsake/core";
import { createSnapshotter } from "@keepsake/engine";
import { checkKeepsakeOptions, type KeepsakeOptions } from "./config/keepsake-options.js";
import { type LoadedConfig, loadConfig } from "./config/load-config.js";
import type { Keepsake } from "./keepsake.js";
import { DEFAULT_PLUGIN_TIMEOUT_MS, Kernel } from "./kernel/kernel.js";
import { lineLogger } from "./log/stderr-logger.js";
import { RuntimeKeepsake } from "./runtime-keepsake.js";
import { StoreTroubles } from "./store-troubles.js";
import { secretReader } from "./secrets.js";
import { ConfiguredWorkspace } from "./workspace/configured-workspace.js";

/**
 * Makes a ready Keepsake of a configuration and plugins. Use it with `await using`.
 *
 * @throws KeepsakeError `E_CONFIG` with every problem at once (`context.problems`); `E_PLUGIN_…` when a plugin cannot be
 *   loaded or made. What was made until then is closed again
 */
export async function createKeepsake(options: KeepsakeOptions = {}): Promise<Keepsake> {
  checkKeepsakeOptions(options);
  const { cwd = process.cwd(), env = process.env, pluginTimeoutMs = DEFAULT_PLUGIN_TIMEOUT_MS } = options;
  const loaded = await loadConfig({
    source: options.config,
    plugins: options.plugins ?? [],
    stateRoot: options.stateRoot,
    cwd,
    env,
    timeoutMs: pluginTimeoutMs,
  });
  return assembleKeepsake(loaded, { ...options, cwd, env, pluginTimeoutMs });
}

type AssembleOptions = Pick<KeepsakeOptions, "logger" | "clock"> & {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pluginTimeoutMs: number;
};

/** Makes a ready Keepsake of a configuration that is already checked. */
export async function assembleKeepsake(loaded: LoadedConfig, options: AssembleOptions): Promise<Keepsake> {
  const { config, registry, baseDir } = loaded;
  const { cwd, env, clock = SYSTEM_CLOCK } = options;
  const logger = options.logger ?? lineLogger({ ...config.log, clock });
  const troubles = new StoreTroubles();
  const kernel = await Kernel.start({
    registry,
    baseDir,
    timeoutMs: options.pluginTimeoutMs,
    builtIns: [
      { token: LOGGER, value: logger },
      { token: CLOCK, value: clock },
      { token: STATE_ROOT, value: config.state_root },
      { token: STORE_TROUBLES, value: troubles.tell },
      { token: SECRETS, value: secretReader(baseDir, env) },
    ],
  });
  try {
    const workspace = await ConfiguredWorkspace.open({ loaded, kernel, cwd, env });
    const snapshotter = createSnapshotter(kernel.container, workspace, { logger, clock });
    return new RuntimeKeepsake({
      loaded,
      kernel,
      snapshotter,
      plugins: async () => (await import("./describe-plugins.js")).describePlugins(loaded, workspace),
      logger,
      troubles,
      stores: workspace.namedStores,
      locks: workspace.locks,
      tryParts: () => workspace.tryParts(),
      cwd,
      env,
    });
  } catch (error) {
    // The first error says more than what closing might add.
    await kernel[Symbol.asyncDispose]().catch(() => undefined);
    throw error;
  }
}
