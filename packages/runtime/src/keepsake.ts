import type { BundleStore, JsonObject, KeepsakeError, ProviderKind, StoreTrouble } from "@keepsake/core";
import type { MemorySnapshotter } from "@keepsake/engine";
import type { ResolvedConfig } from "./config/schema.js";

/** One thing a loaded plugin can make. */
export interface LoadedProvider {
  readonly kind: ProviderKind;
  readonly name: string;
  /**
   * One for each use in the configuration. Stores and codecs: what they say of themselves (`capabilities`, `where`, `suffix`,
   * `describe`); the others: `id`, `mode`, and `agent` where it is not for all
   */
  readonly instances: readonly JsonObject[];
}

/** A loaded plugin. */
export interface LoadedPlugin {
  readonly name: string;
  readonly version: string | undefined;
  readonly api: number;
  /** "program" when it was handed over, else the file it was imported from */
  readonly origin: string;
  readonly providers: readonly LoadedProvider[];
  readonly presets: readonly { readonly name: string; readonly description: string }[];
}

/** A ready Keepsake. Disposing it closes what the plugins made, in reverse order. */
export interface Keepsake extends MemorySnapshotter, AsyncDisposable {
  /** the configuration with all defaults filled in, in the file's spelling */
  readonly config: ResolvedConfig;
  /** absolute path of the configuration file, or undefined where there is none */
  readonly configFile: string | undefined;
  /** What is loaded; makes the configured codecs to ask them. @throws KeepsakeError what making one failed with */
  plugins(): Promise<readonly LoadedPlugin[]>;
  /**
   * Makes every part that the configuration names, also those that are otherwise made when they are needed: policies, and all
   * agents' sources, state providers and codecs. `doctor` does it, too.
   *
   * @returns what they failed with; empty when all can be made
   */
  tryParts(): Promise<readonly KeepsakeError[]>;
  /**
   * A store of the configuration, also one that is part of another; for `sync`. It is closed with this Keepsake.
   *
   * @param name default "primary"
   * @throws KeepsakeError `E_CONFIG` when the configuration has none of that name
   */
  store(name?: string): BundleStore;
  /** What of the stores and the locks ends with this process, by name: of no use to a program that ends with each operation. */
  processBound(): readonly { readonly kind: "store" | "lock"; readonly name: string }[];
  /**
   * What went wrong, since the last call, in stores that are part of others, although no operation failed: one of several
   * copies could not be written or read. The operations were done; something is left to do.
   */
  takeStoreTroubles(): readonly StoreTrouble[];
  /** JSON Schema (2020-12) of the configuration, with the options of the loaded plugins. */
  configSchema(): JsonObject;
  /**
   * Prunes all agents every `retention.interval_secs`, until the signal fires or this Keepsake is disposed. Does not
   * keep the process alive. A failed sweep is logged, and the next one tries again.
   */
  scheduleRetention(signal?: AbortSignal): void;
}
