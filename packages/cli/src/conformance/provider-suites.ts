import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type {
  AnyProvider,
  BundleStore,
  Plugin,
  ProviderKind,
  ProviderKinds,
  SecretReader,
  StateItem,
  StateProvider,
} from "@keepsake/core";
import type * as TestkitModule from "@keepsake/testkit";
import type { ConformanceCase, MadePart } from "@keepsake/testkit";
import type { PluginFixtures, ProviderFixture } from "./plugin-fixtures.js";

/** The package, which is loaded only when a plugin is tested. */
type Testkit = typeof TestkitModule;
type Options = Readonly<Record<string, unknown>>;

/** The cases of one suite, for one provider or for the plugin as a whole. */
export interface ProviderSuite {
  /** the provider's kind, or "plugin" */
  readonly kind: ProviderKind | "plugin";
  readonly name: string;
  readonly cases: readonly ConformanceCase[];
}

/** What suites are made of. */
export interface SuiteInput extends PluginFixtures {
  readonly plugin: Plugin;
  readonly secrets: SecretReader;
}

/** Makes parts of one provider, in the folder of one case, and disposes all of them. */
class Maker<K extends ProviderKind> {
  readonly #testkit: Testkit;
  readonly #input: SuiteInput;
  readonly #kind: K;
  readonly #name: string;
  readonly #dir: string;
  readonly #unique = `t${randomBytes(6).toString("hex")}`;
  readonly #made: MadePart<unknown>[] = [];
  /** what is made a second time is made of the same stores */
  readonly #stores = new Map<string, BundleStore>();

  constructor(testkit: Testkit, input: SuiteInput, kind: K, name: string, dir: string) {
    this.#testkit = testkit;
    this.#input = input;
    this.#kind = kind;
    this.#name = name;
    this.#dir = dir;
  }

  async make(options: Options = this.#input.options[this.#name] ?? {}): Promise<ProviderKinds[K]> {
    const { plugin, baseDir, secrets } = this.#input;
    const filled = filledIn(options, this.#dir, this.#unique) as Options;
    const given = { options: filled, dir: this.#dir, baseDir, secrets, stores: this.#stores };
    const made = await this.#testkit.makePart(plugin, this.#kind, this.#name, given);
    this.#made.push(made);
    return made.part;
  }

  readonly dispose = async (): Promise<void> => {
    for (const made of this.#made.splice(0).toReversed()) await made[Symbol.asyncDispose]();
  };
}

/** Options with `{dir}` and `{unique}` in all texts filled in. */
export function filledIn(value: unknown, dir: string, unique: string): unknown {
  if (typeof value === "string") return value.replaceAll("{dir}", () => dir).replaceAll("{unique}", unique);
  if (Array.isArray(value)) return value.map((item) => filledIn(item, dir, unique));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filledIn(item, dir, unique)]));
}

/** The suite that fits a provider; undefined for a kind that has none. */
export function suiteOf(testkit: Testkit, input: SuiteInput, { kind, name }: AnyProvider): ProviderSuite | undefined {
  const fixture = input.fixtures[name] ?? {};
  const maker = <K extends ProviderKind>(of: K, dir: string): Maker<K> => new Maker(testkit, input, of, name, dir);
  const cases = casesOf(testkit, kind, fixture, maker);
  return cases && { kind, name, cases };
}

function casesOf(
  testkit: Testkit,
  kind: ProviderKind,
  fixture: ProviderFixture,
  maker: <K extends ProviderKind>(of: K, dir: string) => Maker<K>,
): readonly ConformanceCase[] | undefined {
  switch (kind) {
    case "store":
      return testkit.storeConformance({
        async create(dir) {
          const stores = maker("store", dir);
          const store = await stores.make();
          const { boundedMemory = true } = fixture;
          return { store, reopen: () => stores.make(), boundedMemory, [Symbol.asyncDispose]: stores.dispose };
        },
      });
    case "lock":
      return testkit.lockConformance({
        async create(dir) {
          const managers = maker("lock", dir);
          const { lose } = fixture;
          return {
            locks: await managers.make(),
            other: await managers.make(),
            lose: lose === undefined ? null : (name: string) => lose(name, { dir }),
            [Symbol.asyncDispose]: managers.dispose,
          };
        },
      });
    case "codec":
      return testkit.codecConformance({
        async create(dir) {
          const codecs = maker("codec", dir);
          const { others, deterministic = false } = fixture;
          const keys = others && {
            keyless: await codecs.make(others.keyless),
            stranger: await codecs.make(others.stranger),
          };
          return {
            codec: await codecs.make(),
            deterministic,
            others: keys ?? null,
            [Symbol.asyncDispose]: codecs.dispose,
          };
        },
      });
    case "source":
      return testkit.sourceConformance({
        async create(dir) {
          const sources = maker("source", dir);
          const memory = join(dir, "memory");
          await mkdir(memory);
          const live = fixture.live?.({ dir, memory }) ?? null;
          return { source: await sources.make(), memory, live, [Symbol.asyncDispose]: sources.dispose };
        },
      });
    case "state":
      return testkit.stateConformance({
        async create(dir) {
          const providers = maker("state", dir);
          const provider = await providers.make();
          const { write } = fixture;
          return {
            provider,
            write: (items, target) =>
              write === undefined ? writeByRestore(provider, items, target) : write(items, target, { dir }),
            [Symbol.asyncDispose]: providers.dispose,
          };
        },
      });
    case "redaction":
      return testkit.redactionConformance({
        async create(dir) {
          const policies = maker("redaction", dir);
          const { samples = [], clean = [] } = fixture;
          return { policy: await policies.make(), samples, clean, [Symbol.asyncDispose]: policies.dispose };
        },
      });
    case "events":
    case "service":
      return undefined;
  }
}

/** Where nothing else writes the values, a restore of them beside those there are does. */
async function writeByRestore(
  provider: StateProvider,
  items: readonly StateItem[],
  target: Parameters<StateProvider["capture"]>[0],
): Promise<void> {
  if (provider.restore === undefined) throw new TypeError("The suite needs `write` of a provider that cannot restore.");
  const keep = provider.keys.filter((key) => !items.some((item) => item.key === key));
  await provider.restore(target, items, { keep });
}
