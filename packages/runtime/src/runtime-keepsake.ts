import {
  type BundleStore,
  type JsonObject,
  isKeepsakeError,
  KeepsakeError,
  type LockManager,
  type Logger,
  type StoreTrouble,
} from "@keepsake/core";
import type { DoctorFinding, MemorySnapshotter } from "@keepsake/engine";
import type { LoadedConfig } from "./config/load-config.js";
import type { ResolvedConfig } from "./config/schema.js";
import { resolvePath } from "./config/state-root.js";
import type { Keepsake, LoadedPlugin } from "./keepsake.js";
import type { Kernel } from "./kernel/kernel.js";
import { unknownName } from "./config/suggestion.js";
import type { NamedStore } from "./workspace/configured-stores.js";
import type { StoreTroubles } from "./store-troubles.js";
import { composedSchema } from "./config/json-schema.js";

interface KeepsakeParts {
  readonly loaded: LoadedConfig;
  readonly kernel: Kernel;
  readonly snapshotter: MemorySnapshotter;
  readonly plugins: () => Promise<readonly LoadedPlugin[]>;
  readonly logger: Logger;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly troubles: StoreTroubles;
  readonly stores: readonly NamedStore[];
  readonly locks: LockManager;
  readonly tryParts: () => Promise<readonly KeepsakeError[]>;
}

/** Hands every operation to the engine, and closes the kernel. */
export class RuntimeKeepsake implements Keepsake {
  readonly config: ResolvedConfig;
  readonly configFile: string | undefined;
  readonly #parts: KeepsakeParts;
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(parts: KeepsakeParts) {
    this.#parts = parts;
    this.config = parts.loaded.config;
    this.configFile = parts.loaded.file;
  }

  readonly snapshot: MemorySnapshotter["snapshot"] = async (...args) => this.#engine().snapshot(...args);
  readonly restore: MemorySnapshotter["restore"] = async (request, options) =>
    this.#engine().restore(this.#located(request, "bundleFile"), options);
  readonly list: MemorySnapshotter["list"] = async (...args) => this.#engine().list(...args);
  readonly show: MemorySnapshotter["show"] = async (...args) => this.#engine().show(...args);
  readonly verify: MemorySnapshotter["verify"] = async (request, options) =>
    this.#engine().verify(this.#located(request, "bundleFile"), options);
  readonly diff: MemorySnapshotter["diff"] = async (...args) => this.#engine().diff(...args);
  readonly delete: MemorySnapshotter["delete"] = async (...args) => this.#engine().delete(...args);
  readonly export: MemorySnapshotter["export"] = async (request, options) =>
    this.#engine().export(this.#located(request, "to"), options);
  readonly import: MemorySnapshotter["import"] = async (request, options) =>
    this.#engine().import(this.#located(request, "bundleFile"), options);
  readonly prune: MemorySnapshotter["prune"] = async (...args) => this.#engine().prune(...args);
  readonly recover: MemorySnapshotter["recover"] = async (...args) => this.#engine().recover(...args);
  /** What only the configuration knows comes first: without its parts most operations fail. */
  readonly doctor: MemorySnapshotter["doctor"] = async (...args) => {
    const { ok, findings } = await this.#engine().doctor(...args);
    const errors = await this.tryParts();
    return { ok: ok && errors.length === 0, findings: [...errors.map(partFinding), ...findings] };
  };

  readonly scan: MemorySnapshotter["scan"] = async (request, options) => {
    const located = this.#located(this.#located(this.#located(request, "bundleFile"), "memory"), "textFile");
    return this.#engine().scan(located, options);
  };
  readonly rules: MemorySnapshotter["rules"] = async (...args) => this.#engine().rules(...args);
  readonly sync: MemorySnapshotter["sync"] = async (...args) => this.#engine().sync(...args);

  store(name = "primary"): BundleStore {
    this.#engine();
    const { stores } = this.#parts;
    const found = stores.find((one) => one.name === name);
    if (found) return found.store;
    const known = stores.map((one) => one.name);
    throw new KeepsakeError(
      "E_CONFIG",
      `${this.configFile ?? "The configuration"}: ${unknownName("store", name, known)}`,
      {
        context: { store: name, known },
      },
    );
  }

  async plugins(): Promise<readonly LoadedPlugin[]> {
    this.#engine();
    return await this.#parts.plugins();
  }

  processBound(): ReturnType<Keepsake["processBound"]> {
    const { stores, locks, loaded } = this.#parts;
    const bound = stores.filter(({ store }) => store.capabilities.lifetime === "process");
    return [
      ...bound.map(({ name }) => ({ kind: "store", name }) as const),
      ...(locks.lifetime === "process" ? [{ kind: "lock", name: loaded.config.lock.use } as const] : []),
    ];
  }

  async tryParts(): Promise<readonly KeepsakeError[]> {
    this.#engine();
    return this.#parts.tryParts();
  }

  takeStoreTroubles(): readonly StoreTrouble[] {
    return this.#parts.troubles.take();
  }

  configSchema(): JsonObject {
    return composedSchema(this.#parts.loaded.registry);
  }

  scheduleRetention(signal?: AbortSignal): void {
    this.#engine();
    if (signal?.aborted === true) return;
    let running = false;
    const sweep = async (): Promise<void> => {
      // A sweep that takes longer than the interval is not joined by a second one.
      if (running) return;
      running = true;
      try {
        const { deleted } = await this.prune({}, { signal });
        this.#parts.logger.info("Retention swept.", { deleted: deleted.length });
      } catch (error) {
        const code = isKeepsakeError(error) ? { code: error.code } : {};
        this.#parts.logger.warn("The retention sweep failed.", {
          ...code,
          error: error instanceof Error ? error.message : String(error),
        });
      } finally {
        running = false;
      }
    };
    const timer = setInterval(() => void sweep(), this.config.retention.interval_secs * 1000).unref();
    this.#timers.add(timer);
    const stop = (): void => {
      clearInterval(timer);
      this.#timers.delete(timer);
    };
    signal?.addEventListener("abort", stop, { once: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
    await this.#parts.kernel[Symbol.asyncDispose]();
  }

  /** The engine knows no working directory: the paths of a request are relative to this Keepsake's. */
  #located<R>(request: R, key: string): R {
    // Whether it is a request at all is the engine's to say.
    if (typeof request !== "object" || request === null) return request;
    const path = (request as Readonly<Record<string, unknown>>)[key];
    const { cwd, env } = this.#parts;
    return typeof path !== "string" || path === "" ? request : { ...request, [key]: resolvePath(path, cwd, env) };
  }

  #engine(): MemorySnapshotter {
    if (this.#closed) throw new KeepsakeError("E_USAGE", "This Keepsake is closed.");
    return this.#parts.snapshotter;
  }
}

function partFinding({ code, message, hint, context }: KeepsakeError): DoctorFinding {
  const finding = { name: "plugin", status: "problem", message, details: { code, ...context } } as const;
  return hint === undefined ? finding : { ...finding, hint };
}
