import { type BundleStore, KeepsakeError } from "@keepsake/core";
import { optionsOf } from "../config/provider-options.js";
import type { ResolvedConfig, UseEntry } from "../config/schema.js";
import type { PartErrors } from "./part-errors.js";
import type { WorkspaceParts } from "./workspace-parts.js";

type StoreEntries = Readonly<Record<string, UseEntry>>;

/** A configured store and its name in the configuration. */
export interface NamedStore {
  readonly name: string;
  readonly use: string;
  readonly store: BundleStore;
}

/** Makes the stores of the configuration, each once and after those it is made of. */
export class ConfiguredStores {
  readonly #parts: WorkspaceParts;
  readonly #inOthers = new Set<BundleStore>();

  constructor(parts: WorkspaceParts) {
    this.#parts = parts;
  }

  /**
   * @param entries the stores that are to be had where this one is: an agent may have some of its own
   * @throws KeepsakeError what the plugin threw; `E_CONFIG` and `E_PLUGIN_CYCLE` were told when the configuration was checked
   */
  async make(name: string, entries: StoreEntries, path: readonly string[] = []): Promise<BundleStore> {
    const { kernel, loaded } = this.#parts;
    const entry = Object.hasOwn(entries, name) ? entries[name] : undefined;
    if (entry === undefined || path.includes(name)) {
      throw new KeepsakeError("E_CONFIG", `There is no store ${JSON.stringify(name)} to make one of.`, {
        context: { path: [...path, name] },
      });
    }
    const options = optionsOf("store", entry);
    const stores = new Map<string, BundleStore>();
    for (const part of await kernel.storesNeeded(entry.use, options)) {
      const store = await this.make(part, entries, [...path, name]);
      this.#inOthers.add(store);
      stores.set(part, store);
    }
    return kernel.make("store", entry.use, options, { id: name, baseDir: loaded.baseDir }, { stores });
  }

  /**
   * Every store that the configuration names, the primary one first, those of single agents last.
   *
   * @param errors is told of those that cannot be made, which are left out
   */
  async all(errors: PartErrors): Promise<readonly NamedStore[]> {
    const named: NamedStore[] = [];
    for (const entries of scopesOf(this.#parts.loaded.config)) {
      for (const [name, entry] of Object.entries(entries)) {
        for (const store of await errors.attempt(() => this.make(name, entries), `stores.${name}`)) {
          // Entries that are written alike share one instance.
          if (!named.some((known) => known.store === store)) named.push({ name, use: entry.use, store });
        }
      }
    }
    return named;
  }

  /** Whether another store is made of this one: what it holds is shown, swept and looked at through that. */
  isPart(store: BundleStore): boolean {
    return this.#inOthers.has(store);
  }
}

/** The stores of the top level, and of every agent that has some of its own beside them. */
function scopesOf({ stores, agents }: ResolvedConfig): readonly StoreEntries[] {
  const { primary, ...others } = stores;
  const top: StoreEntries = primary ? { primary, ...others } : others;
  const template = agents["*"]?.stores;
  const own = Object.values(agents).flatMap((agent) =>
    agent.stores ? [{ ...top, ...template, ...agent.stores }] : [],
  );
  return [top, ...own];
}
