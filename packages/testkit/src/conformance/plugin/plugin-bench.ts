import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type AnyProvider,
  type BundleStore,
  CLOCK,
  KeepsakeError,
  LOGGER,
  type Plugin,
  type ProviderContext,
  type ProviderKind,
  type ProviderKinds,
  type Resolver,
  SECRETS,
  type SecretReader,
  SILENT_LOGGER,
  STATE_ROOT,
  STORE_TROUBLES,
  storeNameOf,
  SYSTEM_CLOCK,
  type Token,
} from "@keepsake/core";
import { memoryStore } from "@keepsake/memory";

/** How a provider is made outside of a Keepsake. */
export interface MakeOptions {
  /** as in a configuration: what stands beside `use` and `id` */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  /** an existing folder: the state root is made in it, and relative paths are relative to it */
  readonly dir: string;
  /** what relative paths in options are relative to; default `dir` */
  readonly baseDir?: string | undefined;
  readonly id?: string | undefined;
  /** default: every secret is "secret" */
  readonly secrets?: SecretReader | undefined;
  /** what a store is made of, by name; what is not there is added, as a store in the memory of this process */
  readonly stores?: Map<string, BundleStore> | undefined;
}

/** What a provider made, and all that was made for it. */
export interface MadePart<T> extends AsyncDisposable {
  readonly part: T;
}

const ANY_SECRET: SecretReader = { read: async () => "secret" };

/**
 * Makes what one provider of a plugin provides, with the services of the same plugin that it needs. No container is needed.
 *
 * @throws KeepsakeError `E_CONFIG` when its options are refused, `E_PLUGIN_UNKNOWN` when it needs what this plugin does not
 *   provide, `E_PLUGIN_FAILED` when it asks for more than it `needs`; and what the plugin throws
 */
export async function makePart<K extends ProviderKind>(
  plugin: Plugin,
  kind: K,
  name: string,
  given: MakeOptions,
): Promise<MadePart<ProviderKinds[K]>> {
  const provider = (plugin.providers ?? []).find((one) => one.kind === kind && one.name === name);
  if (provider === undefined) throw unknown(plugin, `${kind} ${name}`);
  const bench = await Bench.open(plugin, given);
  try {
    const context: ProviderContext = { id: given.id, baseDir: given.baseDir ?? given.dir };
    const part = (await bench.make(provider, given.options ?? {}, context, [])) as ProviderKinds[K];
    return { part, [Symbol.asyncDispose]: () => bench.dispose() };
  } catch (error) {
    await bench.dispose().catch(() => undefined);
    throw error;
  }
}

class Bench {
  readonly #plugin: Plugin;
  readonly #baseDir: string;
  readonly #values: Map<string, unknown>;
  readonly #stores: Map<string, BundleStore>;
  readonly #made: unknown[] = [];

  private constructor(plugin: Plugin, baseDir: string, values: Map<string, unknown>, stores: Map<string, BundleStore>) {
    this.#plugin = plugin;
    this.#stores = stores;
    this.#baseDir = baseDir;
    this.#values = values;
  }

  static async open(
    plugin: Plugin,
    { dir, baseDir = dir, secrets = ANY_SECRET, stores = new Map() }: MakeOptions,
  ): Promise<Bench> {
    const stateRoot = join(dir, "state");
    await mkdir(stateRoot, { recursive: true });
    const values = new Map<string, unknown>([
      [LOGGER.key, SILENT_LOGGER],
      [CLOCK.key, SYSTEM_CLOCK],
      [STATE_ROOT.key, stateRoot],
      [SECRETS.key, secrets],
      [STORE_TROUBLES.key, () => undefined],
    ]);
    return new Bench(plugin, baseDir, values, stores);
  }

  async make(
    provider: AnyProvider,
    options: Readonly<Record<string, unknown>>,
    context: ProviderContext,
    path: readonly string[],
  ): Promise<unknown> {
    const checked = await checkedOptions(provider, options);
    const known = new Set([LOGGER, CLOCK, STATE_ROOT, SECRETS, STORE_TROUBLES].map(({ key }) => key));
    for (const need of needsOf(provider, checked)) {
      known.add(need.key);
      if (!this.#values.has(need.key)) this.#values.set(need.key, await this.#needed(need, provider, path));
    }
    const resolver: Resolver = {
      get: <T>(token: Token<T>): T => {
        if (known.has(token.key)) return this.#values.get(token.key) as T;
        throw new KeepsakeError("E_PLUGIN_FAILED", `${provider.name} asks for ${token.key}, which its \`needs\` lack.`);
      },
    };
    const create = provider.create as (options: unknown, resolver: Resolver, context: ProviderContext) => unknown;
    const part = await create.call(provider, checked, resolver, context);
    this.#made.push(part);
    return part;
  }

  async dispose(): Promise<void> {
    for (let part = this.#made.pop(); part !== undefined; part = this.#made.pop()) await disposePart(part);
  }

  async #needed(need: Token<unknown>, provider: AnyProvider, path: readonly string[]): Promise<unknown> {
    const name = storeNameOf(need);
    if (provider.kind !== "store" || name === undefined) return this.#service(need.key, path);
    const store = this.#stores.get(name) ?? memoryStore(name);
    this.#stores.set(name, store);
    return store;
  }

  async #service(key: string, path: readonly string[]): Promise<unknown> {
    const service = (this.#plugin.providers ?? []).find((one) => one.kind === "service" && one.name === key);
    if (service === undefined) throw unknown(this.#plugin, key);
    if (path.includes(key)) {
      throw new KeepsakeError("E_PLUGIN_CYCLE", `Services need each other in a circle: ${[...path, key].join(" → ")}.`);
    }
    return this.make(service, {}, { id: undefined, baseDir: this.#baseDir }, [...path, key]);
  }
}

function needsOf(provider: AnyProvider, options: unknown): readonly Token<unknown>[] {
  const { needs = [] } = provider;
  return typeof needs === "function"
    ? (needs as (options: unknown) => readonly Token<unknown>[]).call(provider, options)
    : needs;
}

/** Disposes what can be disposed; anything else is left alone. */
export async function disposePart(part: unknown): Promise<void> {
  if ((typeof part !== "object" && typeof part !== "function") || part === null) return;
  const { [Symbol.asyncDispose]: async, [Symbol.dispose]: sync } = part as Partial<AsyncDisposable & Disposable>;
  const closing: unknown = (async ?? sync)?.call(part);
  await closing;
}

async function checkedOptions(provider: AnyProvider, options: Readonly<Record<string, unknown>>): Promise<unknown> {
  const where = `${provider.kind} ${provider.name}`;
  if (provider.options === undefined) {
    const [key] = Object.keys(options);
    if (key !== undefined) throw new KeepsakeError("E_CONFIG", `The ${where} takes no options, and is given ${key}.`);
    return undefined;
  }
  const result = await provider.options["~standard"].validate(options);
  if (result.issues === undefined) return result.value;
  const problems = result.issues.map(({ path = [], message }) => {
    const keys = path.map((part) => String(typeof part === "object" ? part.key : part));
    return `${keys.join(".")}${keys.length === 0 ? "" : ": "}${message}`;
  });
  throw new KeepsakeError("E_CONFIG", `The options of the ${where} are wrong: ${problems.join("; ")}.`, {
    context: { provider: provider.name, problems },
  });
}

function unknown(plugin: Plugin, what: string): KeepsakeError {
  return new KeepsakeError("E_PLUGIN_UNKNOWN", `The plugin ${plugin.name} does not provide ${what}.`, {
    context: { plugin: plugin.name },
  });
}
