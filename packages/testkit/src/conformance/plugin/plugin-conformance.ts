import { spawn } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type AnyProvider, type Plugin, PLUGIN_API, type ProviderKind } from "@keepsake/core";
import { treeDigest } from "../../tree-digest.js";
import { bindSuite } from "../bind-suite.js";
import type { ConformanceCase } from "../conformance-case.js";
import { check, isPlainJson, same } from "../expectations.js";
import type { PortCase, PortSuite, SubjectFactory } from "../port-case.js";
import { disposePart, type MadePart, makePart } from "./plugin-bench.js";

/** A plugin to be tested. */
export interface PluginSubject {
  readonly plugin: Plugin;
  /** absolute path of the module whose default export it is; null for a plugin that is no module */
  readonly module: string | null;
  /** options that a provider can be made with; default none */
  readonly options?: (provider: AnyProvider) => Readonly<Record<string, unknown>>;
}

export type PluginFactory = SubjectFactory<PluginSubject>;

/** What each kind of thing has at least. */
const MEMBERS: Readonly<Record<ProviderKind, readonly string[]>> = {
  source: ["id", "kind", "open"],
  codec: ["id", "suffix", "encode", "decode"],
  store: ["id", "capabilities", "describe", "put", "get", "head", "list", "delete"],
  lock: ["acquire"],
  redaction: ["id", "rules", "scan"],
  state: ["id", "keys", "capture"],
  events: ["id", "publish"],
  service: [],
};

const NAME = /^[a-z0-9@][a-z0-9@/._-]*$/;
const NONSENSE = [null, undefined, 7, "text", [], true, () => undefined];

function providersOf({ plugin }: PluginSubject): readonly AnyProvider[] {
  return plugin.providers ?? [];
}

/** Makes everything the plugin provides, one after the other, in folders of their own. */
async function eachMade(
  subject: PluginSubject,
  dir: string,
  look: (provider: AnyProvider, made: MadePart<unknown>, folder: string) => Promise<void>,
): Promise<void> {
  for (const [index, provider] of providersOf(subject).entries()) {
    const folder = join(dir, String(index));
    await mkdir(folder);
    const options = subject.options?.(provider) ?? {};
    await using made = await makePart(subject.plugin, provider.kind, provider.name, {
      options,
      dir: folder,
      id: "one",
    });
    await look(provider, made, folder);
  }
}

const SUBJECT: PortCase<PluginSubject> = {
  id: "plugin.subject",
  says: `The subject is a plugin with a name, for the plugin API ${PLUGIN_API}.`,
  async run({ plugin, module }) {
    check(typeof plugin.name === "string" && NAME.test(plugin.name), "A plugin's name is of [a-z0-9@/._-].");
    same(plugin.api, PLUGIN_API, "The plugin is written for another API.");
    check([null, "string"].includes(module === null ? null : typeof module), "`module` is given, or null.");
  },
};

const CASES: readonly PortCase<PluginSubject>[] = [
  {
    id: "plugin.providers",
    says: "Its providers have a known kind, a name of [a-z0-9@/._-] that no other of the kind has, and `create`.",
    async run(subject) {
      const seen = new Set<string>();
      for (const { kind, name, create } of providersOf(subject)) {
        check(Object.hasOwn(MEMBERS, kind), `There is no kind of provider ${kind}.`);
        check(NAME.test(name), `The name ${JSON.stringify(name)} of a provider is not of [a-z0-9@/._-].`);
        check(!seen.has(`${kind} ${name}`), `There are two providers ${kind} ${name}.`);
        seen.add(`${kind} ${name}`);
        same(typeof create, "function", `What \`create\` of ${name} is.`);
      }
    },
  },
  {
    id: "plugin.options",
    says: "Options have a Standard Schema, which answers nonsense with problems that have a message, and throws nothing.",
    async run(subject) {
      for (const { name, options } of providersOf(subject)) {
        if (options === undefined) continue;
        same(options["~standard"].version, 1, `The version of the Standard Schema of ${name}.`);
        for (const nonsense of NONSENSE) {
          const { issues = [] } = await options["~standard"].validate(nonsense);
          check(issues.length > 0, `The options of ${name} may be ${String(nonsense)}.`);
          check(
            issues.every(({ message }) => message !== ""),
            `A problem with the options of ${name} has no message.`,
          );
        }
      }
    },
  },
  {
    id: "plugin.options.strict",
    says: "A key that a provider does not know is refused, so that a mistyped one is not lost.",
    async run(subject) {
      for (const provider of providersOf(subject)) {
        if (provider.options === undefined) continue;
        const options = { ...subject.options?.(provider), no_such_option: 1 };
        const { issues = [] } = await provider.options["~standard"].validate(options);
        check(issues.length > 0, `${provider.name} takes an option that it does not know.`);
      }
    },
  },
  {
    id: "plugin.create",
    says: "Every provider makes a thing with the members of its port, out of its options and what it `needs` alone.",
    async run(subject, { dir }) {
      await eachMade(subject, dir, async ({ kind, name }, { part }) => {
        if (kind === "service") {
          check(part !== undefined && part !== null, `The service ${name} is nothing.`);
          return;
        }
        for (const member of MEMBERS[kind]) {
          const value: unknown = Reflect.get(part as object, member);
          check(value !== undefined, `What ${kind} ${name} makes has no \`${member}\`.`);
        }
      });
    },
  },
  {
    id: "plugin.create.quiet",
    says: "Making a thing and disposing it, unused, leaves the folders it was given as they were.",
    async run(subject, { dir }) {
      const folders: string[] = [];
      await eachMade(subject, dir, async (_provider, _made, folder) => {
        folders.push(folder);
      });
      for (const folder of folders) {
        same(
          Object.keys(await treeDigest(folder)),
          ["state"],
          "What lies in the folder of a thing that was never used.",
        );
      }
    },
  },
  {
    id: "plugin.dispose",
    says: "What can be disposed may be disposed twice.",
    async run(subject, { dir }) {
      await eachMade(subject, dir, async (_provider, made) => {
        await disposePart(made.part);
        await disposePart(made.part);
      });
    },
  },
  {
    id: "plugin.presets",
    says: "Presets are plain data: a description, and entries that say what they `use`.",
    async run({ plugin }) {
      for (const [name, preset] of Object.entries(plugin.presets ?? {})) {
        check(NAME.test(name), `The name ${JSON.stringify(name)} of a preset is not of [a-z0-9@/._-].`);
        check(isPlainJson(preset), `The preset ${name} is not plain data.`);
        check(preset.description !== "", `The preset ${name} has no description.`);
        for (const entry of [...preset.sources, ...(preset.state ?? [])]) {
          same(typeof entry["use"], "string", `What an entry of the preset ${name} uses.`);
        }
      }
    },
  },
  {
    id: "plugin.import",
    says: "Importing its module does nothing: nothing is written or said, and nothing keeps the program from ending.",
    needs: {
      capability: "module",
      async inverse({ plugin }) {
        check(typeof plugin === "object", "A plugin that is no module is an object.");
      },
    },
    async run({ module }, { dir }) {
      const said = await importAlone(module ?? "", dir);
      same(said, { code: 0, output: "" }, "How a program ended that imported the module and did no more.");
      same(await readdir(dir), [], "What lies in the folder in which the module was imported.");
    },
  },
  {
    id: "plugin.import.default",
    says: "The default export of its module is the plugin.",
    needs: {
      capability: "module",
      async inverse({ plugin }) {
        same(plugin.api, PLUGIN_API, "The plugin is written for another API.");
      },
    },
    async run({ plugin, module }) {
      const loaded = (await import(pathToFileURL(module ?? "").href)) as { readonly default?: Partial<Plugin> };
      same(
        [loaded.default?.name, loaded.default?.api],
        [plugin.name, plugin.api],
        "What the module exports as default.",
      );
    },
  },
];

/** What does not end by itself ends with the process that started it, and is not kept from ending by this. */
const ORPHANS_END = "const { ppid } = process; setInterval(() => process.ppid === ppid || process.exit(), 500).unref()";

/** Imports a module in a process of its own, whose every folder is `dir`; a case's own limit bounds the waiting. */
async function importAlone(
  module: string,
  dir: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const program = `${ORPHANS_END}; await import(${JSON.stringify(pathToFileURL(module).href)})`;
  const env = { PATH: process.env["PATH"], HOME: dir, TMPDIR: dir, XDG_DATA_HOME: dir, NODE_NO_WARNINGS: "1" };
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { cwd: dir, env });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk));
  // A module that keeps its program from ending must not keep this one.
  const patience = setTimeout(() => child.kill("SIGKILL"), 20_000);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    return { code, output: Buffer.concat(output).toString() };
  } finally {
    clearTimeout(patience);
  }
}

/** All promises of a {@link Plugin}. */
export const PLUGIN_SUITE: PortSuite<PluginSubject> = {
  port: "plugin",
  cases: [SUBJECT, ...CASES],
  capabilities: ({ module }) => ({ module: module !== null }),
};

/** The cases for a plugin as a whole. */
export function pluginConformance(factory: PluginFactory): readonly ConformanceCase[] {
  return bindSuite(PLUGIN_SUITE, factory);
}
