import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type AnyProvider, KeepsakeError, type ProviderKind, type StateItem, type StateProvider } from "@keepsake/core";
import type { ConformanceCase } from "@keepsake/testkit";
import { Maker, type SuiteInput, type Testkit } from "./maker.js";
import type { ProviderFixture } from "./plugin-fixtures.js";

/** The cases of one suite, for one provider or for the plugin as a whole. */
export interface ProviderSuite {
  /** the provider's kind, or "plugin" */
  readonly kind: ProviderKind | "plugin";
  readonly name: string;
  readonly cases: readonly ConformanceCase[];
}

/** The suite that fits a provider; undefined for a kind that has none. */
export function suiteOf(testkit: Testkit, input: SuiteInput, { kind, name }: AnyProvider): ProviderSuite | undefined {
  const fixture = input.fixtures[name] ?? {};
  const maker = <K extends ProviderKind>(of: K, dir: string): Maker<K> => new Maker(testkit, input, of, name, dir);
  refuseFixture(name, fixture);
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
          const { boundedMemory = true, place } = fixture;
          return {
            store: await stores.make(),
            reopen: () => stores.make(),
            boundedMemory,
            place: typeof place === "function" ? () => place({ dir }) : stores.filled(place),
            crash: crashOf(fixture, stores),
            [Symbol.asyncDispose]: stores.dispose,
          };
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
            crash: crashOf(fixture, managers),
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

/** @throws KeepsakeError `E_CONFIG` for one that asks for a crash and does not say where */
function refuseFixture(name: string, { crash = false, place }: ProviderFixture): void {
  if (!crash || typeof place === "string") return;
  throw new KeepsakeError("E_CONFIG", `The options of ${name} ask for \`crash\`, and \`place\` is no folder.`, {
    context: { provider: name },
    hint: 'Write, for example, `place: "{dir}/store"`: the folder on this disk in which it works.',
  });
}

function crashOf<K extends ProviderKind>({ crash = false, place }: ProviderFixture, maker: Maker<K>) {
  return crash && typeof place === "string" ? maker.crashProgram(place) : undefined;
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
