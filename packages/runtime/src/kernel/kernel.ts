import {
  type AnyProvider,
  type BundleStore,
  KeepsakeError,
  type ProviderContext,
  type ProviderKind,
  type ProviderKinds,
  type Resolver,
  storeNameOf,
  type Token,
} from "@keepsake/core";
import type { DependencyContainer } from "tsyringe";
import type { PluginRegistry, RegisteredProvider } from "../plugins/registry.js";
import { checkOptions } from "./check-options.js";
import { checkPart } from "./check-part.js";
import { createChildContainer } from "./child-container.js";
import { DisposalStack } from "./disposal.js";
import { fixedNeeds, needsOf, storesNeeded } from "./needs.js";
import { orderByNeeds } from "./order.js";
import { guardedPart } from "./guarded-part.js";
import { callPlugin } from "./plugin-call.js";

/** What `config` asks a provider for. */
export type MadeKind = Exclude<ProviderKind, "service">;

/** A ready value that every plugin may ask for. */
export interface BuiltIn {
  readonly token: Token<unknown>;
  readonly value: unknown;
}

/** The stores of the configuration that a store is made of, by name, all ready. */
export type PartStores = ReadonlyMap<string, BundleStore>;

interface MakeOptions {
  /** false makes a new instance each time */
  readonly shared?: boolean;
  readonly stores?: PartStores;
}

const NO_STORES: PartStores = new Map();

/** How long a plugin may take to make or to close one part, in milliseconds. */
export const DEFAULT_PLUGIN_TIMEOUT_MS = 30_000;

interface KernelOptions {
  readonly registry: PluginRegistry;
  readonly builtIns: readonly BuiltIn[];
  readonly timeoutMs?: number | undefined;
  /** services are made before anything is configured: their paths are relative to this */
  readonly baseDir: string;
}

/**
 * Makes what the plugins provide, over one child container. It does what the container does badly: it sorts services by
 * their needs, finds circles, waits for asynchronous factories, refuses duplicates, keeps the original errors, and
 * disposes everything in reverse order.
 */
export class Kernel implements AsyncDisposable {
  readonly container: DependencyContainer = createChildContainer();
  readonly #registry: PluginRegistry;
  readonly #timeoutMs: number;
  readonly #disposal: DisposalStack;
  readonly #builtIns: ReadonlySet<string>;
  readonly #made = new Map<string, Promise<unknown>>();
  readonly #numbers = new Map<BundleStore, number>();
  #closed = false;

  private constructor({ registry, builtIns, timeoutMs = DEFAULT_PLUGIN_TIMEOUT_MS }: KernelOptions) {
    this.#registry = registry;
    this.#timeoutMs = timeoutMs;
    this.#disposal = new DisposalStack(timeoutMs);
    this.#builtIns = new Set(builtIns.map(({ token }) => token.key));
    for (const { token, value } of builtIns) this.container.registerInstance(token.key, value);
  }

  /**
   * Makes all services, each after what it needs. When one fails, those already made are disposed.
   *
   * @throws KeepsakeError `E_PLUGIN_CYCLE`, `E_PLUGIN_DUPLICATE`, `E_PLUGIN_UNKNOWN` (a need that nobody provides),
   *   `E_PLUGIN_FAILED`, `E_PLUGIN_TIMEOUT`, or what a plugin threw
   */
  static async start(options: KernelOptions): Promise<Kernel> {
    const kernel = new Kernel(options);
    try {
      for (const service of kernel.#servicesInOrder()) await kernel.#startService(service, options.baseDir);
      return kernel;
    } catch (error) {
      await kernel[Symbol.asyncDispose]().catch(() => undefined);
      throw error;
    }
  }

  /**
   * The names of the stores that a store is made of; none where its options are wrong or nobody provides it, which `make` tells.
   *
   * @throws KeepsakeError `E_PLUGIN_FAILED`, `E_PLUGIN_TIMEOUT`, or what the plugin threw
   */
  async storesNeeded(use: string, options: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
    const found = this.#registry.find("store", use);
    return found ? storesNeeded(found, options, this.#timeoutMs) : [];
  }

  /**
   * An instance of a configured provider. Equal requests share one instance, which lives as long as the kernel.
   *
   * @param options as configured; checked and completed by the provider's schema
   * @param stores what a store is made of; they are not disposed with it, but after it
   * @throws KeepsakeError `E_PLUGIN_UNKNOWN`, `E_CONFIG` for wrong options, `E_PLUGIN_FAILED`, `E_PLUGIN_TIMEOUT`
   */
  async make<K extends MadeKind>(
    kind: K,
    name: string,
    options: Readonly<Record<string, unknown>>,
    context: ProviderContext,
    { shared = true, stores = NO_STORES }: MakeOptions = {},
  ): Promise<ProviderKinds[K]> {
    this.#assertOpen();
    const found = this.#registry.find(kind, name);
    if (!found) throw unknownProvider(kind, name, this.#registry.names(kind));
    const create = async (): Promise<ProviderKinds[K]> => {
      const made = (await this.#create(found, options, context, stores)) as ProviderKinds[K];
      // Streams pass through codecs and stores: what those throw may be another's failure, and is not blamed on them.
      if (kind !== "source" && kind !== "state") return made;
      return guardedPart(made, { plugin: found.plugin, part: partName(found.provider) });
    };
    if (!shared) return create();
    const key = JSON.stringify([kind, name, context.id ?? null, context.baseDir, options, this.#identityOf(stores)]);
    const known = this.#made.get(key);
    if (known) return known as Promise<ProviderKinds[K]>;
    const made = create();
    this.#made.set(key, made);
    // A failure is not remembered: the next request may succeed.
    made.catch(() => this.#made.delete(key));
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#made.clear();
    try {
      await this.#disposal.dispose();
    } finally {
      await this.container.dispose();
    }
  }

  /** Stores of one name may be two, where an agent has one of its own: what is made of them is not the same then. */
  #identityOf(stores: PartStores): readonly (readonly [string, number])[] {
    return [...stores].map(([name, store]) => {
      const number = this.#numbers.get(store) ?? this.#numbers.size;
      this.#numbers.set(store, number);
      return [name, number];
    });
  }

  #assertOpen(): void {
    if (this.#closed) throw new TypeError("This Keepsake is closed.");
  }

  #servicesInOrder(): readonly RegisteredProvider[] {
    const services = this.#registry.all("service");
    for (const { provider, plugin } of services) {
      if (!this.#builtIns.has(provider.name)) continue;
      throw new KeepsakeError(
        "E_PLUGIN_DUPLICATE",
        `${provider.name} is Keepsake's own; plugin ${plugin} provides it too.`,
        {
          context: { plugin, token: provider.name },
        },
      );
    }
    const provided = new Set([...this.#builtIns, ...services.map(({ provider }) => provider.name)]);
    for (const { provider, plugin } of this.#registry.all()) {
      const missing = fixedNeeds(provider).find((need) => !provided.has(need));
      if (missing === undefined) continue;
      throw unknownNeed(provider, plugin, missing);
    }
    const sorted = orderByNeeds(
      services.map((service) => ({ key: service.provider.name, needs: fixedNeeds(service.provider), service })),
    );
    if ("order" in sorted) return sorted.order.map(({ service }) => service);
    throw new KeepsakeError("E_PLUGIN_CYCLE", `Services need each other in a circle: ${sorted.cycle.join(" → ")}.`, {
      context: { cycle: sorted.cycle },
    });
  }

  async #startService(service: RegisteredProvider, baseDir: string): Promise<void> {
    const { provider, plugin } = service;
    const value = await this.#create(service, {}, { id: undefined, baseDir }, NO_STORES);
    // The container takes an undefined value for no registration at all.
    if (value === undefined || value === null) {
      throw new KeepsakeError("E_PLUGIN_FAILED", `The ${partName(provider)} of plugin ${plugin} made nothing.`, {
        context: { plugin, part: partName(provider) },
      });
    }
    this.container.registerInstance(provider.name, value);
  }

  async #create(
    { provider, plugin }: RegisteredProvider,
    options: Readonly<Record<string, unknown>>,
    context: ProviderContext,
    stores: PartStores,
  ): Promise<unknown> {
    const part = { plugin, part: partName(provider) };
    const checked = await callPlugin(part, this.#timeoutMs, () => checkOptions(provider, options));
    if (checked.problems) {
      const list = checked.problems.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`);
      throw new KeepsakeError("E_CONFIG", `The options of ${part.part} are wrong: ${list.join("; ")}`, {
        context: { plugin, problems: list },
      });
    }
    const create = provider.create as (options: unknown, resolver: Resolver, context: ProviderContext) => unknown;
    const value = await callPlugin(
      part,
      this.#timeoutMs,
      () => create.call(provider, checked.value, this.#resolverFor(provider, plugin, checked.value, stores), context),
      (late) => this.#disposeLate(late, plugin),
    );
    if (this.#closed) {
      this.#disposeLate(value, plugin);
      this.#assertOpen();
    }
    this.#disposal.add(value, plugin);
    checkPart(value, provider.kind, part);
    return value;
  }

  /** What came when nobody waited any more is closed; there is nobody left to tell of an error. */
  #disposeLate(value: unknown, plugin: string): void {
    const stack = new DisposalStack(this.#timeoutMs);
    stack.add(value, plugin);
    stack.dispose().catch(() => undefined);
  }

  #resolverFor(provider: AnyProvider, plugin: string, options: unknown, stores: PartStores): Resolver {
    const values = new Map<string, unknown>();
    for (const need of needsOf(provider, options)) values.set(need.key, this.#needed(need, provider, plugin, stores));
    return {
      get: <T>(token: Token<T>): T => {
        if (values.has(token.key)) return values.get(token.key) as T;
        if (this.#builtIns.has(token.key)) return this.container.resolve<T>(token.key);
        throw new KeepsakeError(
          "E_PLUGIN_FAILED",
          `The ${partName(provider)} of plugin ${plugin} asks for ${token.key}, which its \`needs\` do not name.`,
          {
            context: { plugin, token: token.key },
          },
        );
      },
    };
  }

  #needed(need: Token<unknown>, provider: AnyProvider, plugin: string, stores: PartStores): unknown {
    const store = storeNameOf(need);
    if (provider.kind === "store" && store !== undefined && stores.has(store)) return stores.get(store);
    if (!this.container.isRegistered(need.key)) throw unknownNeed(provider, plugin, need.key);
    return this.container.resolve(need.key);
  }
}

function unknownNeed(provider: AnyProvider, plugin: string, token: string): KeepsakeError {
  return new KeepsakeError(
    "E_PLUGIN_UNKNOWN",
    `The ${partName(provider)} of plugin ${plugin} needs ${token}, which no plugin provides.`,
    {
      context: { plugin, token },
      hint: "Add the plugin that provides it to `plugins`.",
    },
  );
}

function partName(provider: AnyProvider): string {
  return provider.kind === "service" ? `service ${provider.name}` : `${provider.kind} provider ${provider.name}`;
}

function unknownProvider(kind: ProviderKind, name: string, known: readonly string[]): KeepsakeError {
  return new KeepsakeError("E_PLUGIN_UNKNOWN", `No loaded plugin provides the ${kind} ${JSON.stringify(name)}.`, {
    context: { kind, name, known },
  });
}
