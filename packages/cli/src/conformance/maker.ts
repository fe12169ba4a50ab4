import { randomBytes } from "node:crypto";
import type { BundleStore, JsonValue, Plugin, ProviderKind, ProviderKinds, SecretReader } from "@keepsake/core";
import type * as TestkitModule from "@keepsake/testkit";
import type { CrashProgram, MadePart } from "@keepsake/testkit";
import type { PartOrder } from "./open-part.js";
import type { PluginFixtures } from "./plugin-fixtures.js";

/** The package, which is loaded only when a plugin is tested. */
export type Testkit = typeof TestkitModule;
type Options = Readonly<Record<string, unknown>>;

/** What suites are made of. */
export interface SuiteInput extends PluginFixtures {
  readonly plugin: Plugin;
  /** the file that exports it */
  readonly module: string;
  readonly secrets: SecretReader;
}

/** Makes parts of one provider, in the folder of one case, and disposes all of them. */
export class Maker<K extends ProviderKind> {
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

  async make(options: Options = this.#ownOptions): Promise<ProviderKinds[K]> {
    const { plugin, baseDir, secrets } = this.#input;
    const given = { options: this.filled(options), dir: this.#dir, baseDir, secrets, stores: this.#stores };
    const made = await this.#testkit.makePart(plugin, this.#kind, this.#name, given);
    this.#made.push(made);
    return made.part;
  }

  /** How another process makes the same part, to be killed in it. @param within the folder in which it works */
  crashProgram(within: string): CrashProgram {
    const { module, baseDir } = this.#input;
    const part = { kind: this.#kind, name: this.#name, options: this.filled(this.#ownOptions) };
    const order: PartOrder = { ...part, module, dir: this.#dir, baseDir };
    return {
      module: new URL("./open-part.js", import.meta.url),
      argument: { ...order } as Readonly<Record<string, JsonValue>>,
      within: this.filled(within),
    };
  }

  /** With `{dir}` and `{unique}` in all texts filled in. */
  filled<T>(value: T): T {
    return filledIn(value, this.#dir, this.#unique) as T;
  }

  readonly dispose = async (): Promise<void> => {
    for (const made of this.#made.splice(0).toReversed()) await made[Symbol.asyncDispose]();
  };

  get #ownOptions(): Options {
    return this.#input.options[this.#name] ?? {};
  }
}

/** Options with `{dir}` and `{unique}` in all texts filled in. */
function filledIn(value: unknown, dir: string, unique: string): unknown {
  if (typeof value === "string") return value.replaceAll("{dir}", () => dir).replaceAll("{unique}", unique);
  if (Array.isArray(value)) return value.map((item) => filledIn(item, dir, unique));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filledIn(item, dir, unique)]));
}
