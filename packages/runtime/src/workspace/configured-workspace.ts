import {
  type AgentRef,
  type BundleStore,
  type Codec,
  type EventPublisher,
  KeepsakeError,
  type LockManager,
  type ProviderKinds,
  sha256Hex,
} from "@keepsake/core";
import type { AgentProfile, EncodeRequest, Workspace } from "@keepsake/engine";
import { fillPlaceholders } from "../config/expand.js";
import { agentSettings, type AgentSettings } from "../config/layers.js";
import { encryptionOptions, lockOptions, optionsOf } from "../config/provider-options.js";
import type { ResolvedConfig, UseEntry } from "../config/schema.js";
import { resolvePath } from "../config/state-root.js";
import { BundleCodecs } from "./bundle-codecs.js";
import { checkSources, checkState } from "./check-instances.js";
import { configuredPolicies } from "./configured-policies.js";
import { ConfiguredStores, type NamedStore } from "./configured-stores.js";
import { PartErrors } from "./part-errors.js";
import { tryParts } from "./try-parts.js";
import type { WorkspaceParts } from "./workspace-parts.js";

type StoreProfile = Pick<AgentProfile, "ref" | "store" | "lock" | "limits" | "retention" | "encryption">;

/** What the configuration and the plugins provide, made ready for the engine. */
export class ConfiguredWorkspace implements Workspace {
  readonly stateRoot: string;
  readonly locks: LockManager;
  readonly publishers: readonly EventPublisher[];
  /** with those that are only part of others */
  readonly namedStores: readonly NamedStore[];
  readonly stores: readonly BundleStore[];
  readonly codecs: BundleCodecs;
  readonly #parts: WorkspaceParts;
  readonly #configuredStores: ConfiguredStores;
  readonly #policies: AgentProfile["redaction"]["policies"];

  private constructor(
    parts: WorkspaceParts,
    ready: {
      readonly locks: LockManager;
      readonly publishers: readonly EventPublisher[];
      readonly configuredStores: ConfiguredStores;
      readonly stores: readonly NamedStore[];
      readonly codecs: BundleCodecs;
    },
  ) {
    this.#parts = parts;
    this.#configuredStores = ready.configuredStores;
    this.#policies = once(() => configuredPolicies(parts));
    this.stateRoot = parts.loaded.config.state_root;
    this.locks = ready.locks;
    this.publishers = ready.publishers;
    this.namedStores = ready.stores;
    this.stores = ready.stores.map(({ store }) => store).filter((store) => !ready.configuredStores.isPart(store));
    this.codecs = ready.codecs;
  }

  /**
   * Makes the locks, the stores and the publishers; sources and codecs are made when they are needed.
   *
   * @throws KeepsakeError what one of them failed with; where several did, all of it, and what else cannot be made
   */
  static async open(parts: WorkspaceParts): Promise<ConfiguredWorkspace> {
    const { kernel, loaded } = parts;
    const { config, registry, baseDir } = loaded;
    const errors = new PartErrors();
    const options = lockOptions(config.lock, registry.find("lock", config.lock.use));
    const [locks] = await errors.attempt(
      () => kernel.make("lock", config.lock.use, options, { id: undefined, baseDir }),
      "lock",
    );
    const publishers: EventPublisher[] = [];
    for (const [index, entry] of config.events.publishers.entries()) {
      const make = () => kernel.make("events", entry.use, optionsOf("events", entry), { id: entry.id, baseDir });
      publishers.push(...(await errors.attempt(make, `events.publishers[${String(index)}]`)));
    }
    const configuredStores = new ConfiguredStores(parts);
    const stores = await configuredStores.all(errors);
    const codecs = new BundleCodecs(parts);
    // A malformed recipient is to be known now, not when the first snapshot is due.
    if (config.encryption.recipients.length > 0)
      await errors.attempt(() => codecs.encoders([], { forceEncryption: true }), "encryption.recipients");
    if (locks !== undefined && errors.list.length === 0)
      return new ConfiguredWorkspace(parts, { locks, publishers, configuredStores, stores, codecs });
    for (const error of await tryParts(parts)) errors.add(error);
    throw errors.together(loaded.file);
  }

  /** What cannot be made of all that the configuration names. */
  tryParts(): Promise<readonly KeepsakeError[]> {
    return tryParts(this.#parts);
  }

  async profile(ref: AgentRef, memory?: string): Promise<AgentProfile> {
    const { config } = this.#parts.loaded;
    const settings = this.#settingsOf(ref);
    const paths = { memory: this.#memoryOf(ref, settings, memory) };
    const state = await this.#make("state", settings.state, ref, paths.memory);
    checkState(state, settings.state);
    return {
      ...(await this.storeOf(ref)),
      ...(await this.#interpreters(ref, settings, paths.memory)),
      paths,
      configuration: sha256Hex(JSON.stringify(config)),
      state,
      cut: { attempts: config.cut.attempts, holdTimeoutMs: config.cut.hold_timeout_ms, allow: config.cut.allow },
      snapshot: {
        verifyAfter: config.snapshot.verify_after,
        fullReadEvery: config.snapshot.full_read_every,
        skipUnchanged: config.snapshot.skip_unchanged,
      },
      restore: { preSnapshot: config.restore.pre_snapshot, verifyAfter: config.restore.verify_after },
    };
  }

  interpretersOf(ref: AgentRef): Promise<Pick<AgentProfile, "sources" | "redaction">> {
    // Sources are asked about bundles alone here; a placeholder in their options only has to be filled with something.
    return this.#interpreters(ref, this.#settingsOf(ref), this.stateRoot);
  }

  async storeOf(ref: AgentRef): Promise<StoreProfile> {
    const { config } = this.#parts.loaded;
    return {
      ref,
      store: await this.#configuredStores.make("primary", this.#settingsOf(ref).stores),
      lock: { timeoutMs: Math.round(config.lock.timeout_secs * 1000) },
      // A safe integer rather than Infinity: codecs may hand it to native code.
      limits: {
        maxManifestBytes: config.limits.max_manifest_bytes,
        maxBundleBytes: config.limits.max_bundle_bytes ?? Number.MAX_SAFE_INTEGER,
      },
      retention: retentionRules(config.retention),
      encryption: {
        byDefault: config.encryption.enabled,
        privateLabels: config.encryption.private_labels,
        hasKeys:
          config.encryption.identity_file !== null && Object.keys(encryptionOptions(config.encryption)).length === 0,
      },
    };
  }

  encoders(ref: AgentRef, request: EncodeRequest): Promise<readonly Codec[]> {
    return this.codecs.encoders(
      this.#settingsOf(ref).codecs.map((entry) => fillPlaceholders(entry, ref)),
      request,
    );
  }

  decoders(fileName: string, identityFiles: readonly string[]): Promise<readonly Codec[]> {
    return this.codecs.decoders(fileName, identityFiles);
  }

  async #interpreters(
    ref: AgentRef,
    settings: AgentSettings,
    memory: string,
  ): Promise<Pick<AgentProfile, "sources" | "redaction">> {
    const { config } = this.#parts.loaded;
    const sources = await this.#make("source", settings.sources, ref, memory);
    checkSources(sources, settings.sources);
    const { default: byDefault, require_clean: requireClean } = config.redaction;
    return { sources, redaction: { byDefault, requireClean, policies: this.#policies } };
  }

  #make<K extends "source" | "state">(
    kind: K,
    entries: readonly UseEntry[],
    ref: AgentRef,
    memory: string,
  ): Promise<ProviderKinds[K][]> {
    const { kernel, loaded } = this.#parts;
    return Promise.all(
      entries.map((entry) => {
        const options = optionsOf(kind, fillPlaceholders(entry, { ...ref, memory }));
        return kernel.make(kind, entry.use, options, { id: entry.id, baseDir: loaded.baseDir });
      }),
    );
  }

  #settingsOf(ref: AgentRef): AgentSettings {
    const { config, registry } = this.#parts.loaded;
    return agentSettings(config, registry, ref.agent);
  }

  #memoryOf(ref: AgentRef, settings: AgentSettings, requested: string | undefined): string {
    const { cwd, env, loaded } = this.#parts;
    if (requested !== undefined) return resolvePath(requested, cwd, env);
    if (settings.memory !== undefined) return resolvePath(fillPlaceholders(settings.memory, ref), loaded.baseDir, env);
    throw new KeepsakeError("E_UNKNOWN_AGENT", `Nothing says where the memory of agent ${ref.agent} is.`, {
      context: { agent: ref.agent, tenant: ref.tenant },
      hint: `Name its directory with --memory, or in the configuration as agents.${ref.agent}.memory or agents["*"].memory.`,
    });
  }
}

/** What is made at most once, unless that fails. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return async () => {
    try {
      return await (made ??= make());
    } catch (error) {
      made = undefined;
      throw error;
    }
  };
}

function retentionRules(retention: ResolvedConfig["retention"]): AgentProfile["retention"] {
  return {
    last: retention.keep_count ?? undefined,
    maxAgeDays: retention.max_age_days ?? undefined,
    hourly: retention.keep_hourly,
    daily: retention.keep_daily,
    weekly: retention.keep_weekly,
    monthly: retention.keep_monthly,
    yearly: retention.keep_yearly,
  };
}
