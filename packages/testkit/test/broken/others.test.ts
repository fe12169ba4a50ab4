import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  codecProvider,
  definePlugin,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  LOGGER,
  type Plugin,
  type RedactionPolicy,
  redactionProvider,
  serviceProvider,
  type StandardSchema,
  type StateItem,
  type StateOmission,
  type StateProvider,
  token,
} from "@keepsake/core";
import { describe } from "vitest";
import {
  pluginConformance,
  type PluginSubject,
  redactionConformance,
  type RedactionSubject,
  stateConformance,
  type StateSubject,
} from "../../src/index.js";
import { type Broken, expectBroken } from "./expect-broken.js";
import { frameCodec } from "./frame-codec.js";

const KEYS = ["cursor", "run"];
let writes = 0;

async function readAll(file: string): Promise<JsonObject> {
  const text = await readFile(file, "utf8").catch(() => "{}");
  const value = JSON.parse(text, (_key, item: JsonValue) => item) as JsonValue;
  return isJsonObject(value) ? value : {};
}

async function writeAll(file: string, items: readonly StateItem[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.${String(writes++)}`;
  await writeFile(partial, JSON.stringify(Object.fromEntries(items.map(({ key, value }) => [key, value]))));
  await rename(partial, file);
}

/** Values in one JSON file. */
function jsonFile(file: string): Required<StateProvider> {
  return {
    id: "one-json-file",
    keys: KEYS,
    async *capture(_target, { signal } = {}) {
      signal?.throwIfAborted();
      const all = await readAll(file);
      for (const key of KEYS) if (all[key] !== undefined) yield { key, value: all[key] };
    },
    async restore(_target, items, { keep = [], signal } = {}) {
      signal?.throwIfAborted();
      const kept = Object.entries(await readAll(file)).filter(([key]) => keep.includes(key));
      await writeAll(file, [...kept.map(([key, value]) => ({ key, value })), ...items]);
    },
    quiesce: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
  };
}

function state(change: (provider: Required<StateProvider>, file: string) => Partial<StateProvider> = () => ({})) {
  return (dir: string): StateSubject => {
    const file = join(dir, "state.json");
    const provider = jsonFile(file);
    const write = async (items: readonly StateItem[]): Promise<void> => {
      const all = Object.entries(await readAll(file)).map(([key, value]) => ({ key, value }));
      await writeAll(file, [...all.filter((old) => !items.some(({ key }) => key === old.key)), ...items]);
    };
    return { provider: { ...provider, ...change(provider, file) }, write };
  };
}

const STATES: readonly Broken<StateSubject>[] = [
  {
    wrong: "keeps what it is given no value for",
    make: state((provider, file) => ({
      async restore(target, items, options) {
        const left = Object.entries(await readAll(file)).filter(([key]) => !items.some((item) => item.key === key));
        await provider.restore(target, [...items, ...left.map(([key, value]) => ({ key, value }))], options);
      },
    })),
    fails: ["state.restore.clears", "state.restore.keep", "state.restore.twice"],
  },
  {
    wrong: "clears what it is told to keep",
    make: state((provider) => ({
      restore: (target, items, { signal } = {}) => provider.restore(target, items, { signal }),
    })),
    fails: ["state.restore.keep"],
  },
  {
    wrong: "gives null for a key without a value",
    make: state((_provider, file) => ({
      async *capture(_target, { signal } = {}) {
        signal?.throwIfAborted();
        const all = await readAll(file);
        for (const key of KEYS) yield { key, value: all[key] ?? null };
      },
    })),
    fails: ["state.subject"],
  },
  {
    wrong: "loses null",
    make: state((provider) => ({
      async *capture(target, options) {
        for await (const item of provider.capture(target, options))
          if (!("value" in item) || item.value !== null) yield item;
      },
    })),
    fails: ["state.capture.json", "state.restore.json"],
  },
  {
    wrong: "writes a value in two steps",
    make: state((provider) => ({
      async restore(target, items, options) {
        const halves = items.map(({ key, value }) => ({ key, value: isJsonObject(value) ? {} : value }));
        await provider.restore(target, halves, options);
        await new Promise((resolve) => setTimeout(resolve, 4));
        await provider.restore(target, items, options);
      },
    })),
    fails: ["state.restore.whole"],
  },
  {
    wrong: "restores although its signal has fired",
    make: state((provider) => ({
      restore: (target, items, { keep } = {}) => provider.restore(target, items, { keep }),
    })),
    fails: ["state.restore.abort"],
  },
  {
    wrong: "captures although its signal has fired",
    make: state((provider) => ({ capture: (target) => provider.capture(target) })),
    fails: ["state.capture.abort"],
  },
  {
    wrong: "takes away what it captured",
    make: state((provider, file) => ({
      async *capture(target, options) {
        const items: (StateItem | StateOmission)[] = [];
        for await (const item of provider.capture(target, options)) items.push(item);
        await rm(file, { force: true });
        yield* items;
      },
    })),
    fails: ["state.capture", "state.capture.unchanged", "state.quiesce", "state.restore.keep"],
  },
  {
    wrong: "adds to what it restored before",
    make: state((provider, file) => ({
      async restore(target, items, options) {
        const all = await readAll(file);
        const added = items.map(({ key, value }) => {
          const old = all[key];
          return {
            key,
            value: Array.isArray(old) && Array.isArray(value) ? ([old, value].flat() as JsonValue) : value,
          };
        });
        await provider.restore(target, added, options);
      },
    })),
    fails: ["state.restore.twice"],
  },
  {
    wrong: "cannot release an agent twice",
    make: state(() => ({
      async quiesce() {
        let isPaused = true;
        return {
          async [Symbol.asyncDispose]() {
            if (!isPaused) throw new Error("released twice");
            isPaused = false;
          },
        };
      },
    })),
    fails: ["state.quiesce"],
  },
  { wrong: "has a key that is none", make: state(() => ({ keys: ["cursor", "a/b"] })), fails: ["state.subject"] },
];

describe("the state suite", () => {
  expectBroken(stateConformance, state(), STATES);
});

const KEY = /(?<=\b)key-[a-z0-9]{8}\b/g;
const findingsIn = (text: string) =>
  [...text.matchAll(KEY)].map(({ index, 0: match }) => ({ start: index, end: index + match.length, rule: "key" }));

const policy = (scan: RedactionPolicy["scan"] = findingsIn): (() => RedactionSubject) => {
  const samples = ["abcd1234", "zzzz9999"].map((end) => ({ text: `use key-${end}, please`, secret: `key-${end}` }));
  return () => ({ policy: { id: "test", rules: ["key"], scan }, samples, clean: ["a keyhole", "key-short"] });
};

const stateful = /key-[a-z0-9]{8}/g;

const POLICIES: readonly Broken<RedactionSubject>[] = [
  {
    wrong: "finds nothing",
    make: policy(() => []),
    fails: ["redaction.found", "redaction.gone", "redaction.long", "redaction.several"],
  },
  { wrong: "finds only the first", make: policy((text) => findingsIn(text).slice(0, 1)), fails: ["redaction.several"] },
  {
    wrong: "ends one character early",
    make: policy((text) => findingsIn(text).map((one) => ({ ...one, end: one.end - 1 }))),
    fails: ["redaction.found", "redaction.several", "redaction.long"],
  },
  {
    wrong: "counts bytes",
    make: policy((text) =>
      findingsIn(text).map(({ start, end, rule }) => {
        const from = Buffer.byteLength(text.slice(0, start));
        return { start: from, end: from + end - start, rule };
      }),
    ),
    fails: ["redaction.found", "redaction.long"],
  },
  { wrong: "does not sort", make: policy((text) => findingsIn(text).toReversed()), fails: ["redaction.several"] },
  {
    wrong: "finds everything twice",
    make: policy((text) => findingsIn(text).flatMap((one) => [one, one])),
    fails: ["redaction.found", "redaction.long", "redaction.several"],
  },
  {
    wrong: "tells the value",
    make: policy((text) => findingsIn(text).map((one) => ({ ...one, value: text.slice(one.start, one.end) }))),
    fails: ["redaction.silent"],
  },
  {
    wrong: "keeps state from one call to the next",
    make: policy((text) => {
      const match = stateful.exec(text);
      return match === null ? [] : [{ start: match.index, end: match.index + match[0].length, rule: "key" }];
    }),
    fails: ["redaction.found", "redaction.gone", "redaction.long", "redaction.pure", "redaction.several"],
  },
  {
    wrong: "names a rule that it does not have",
    make: policy((text) => findingsIn(text).map((one) => ({ ...one, rule: "other" }))),
    fails: ["redaction.found", "redaction.several", "redaction.long"],
  },
  {
    wrong: "finds its own replacements",
    make: policy((text) =>
      [...text.matchAll(/\[REDACTED:key\]|key-[a-z0-9]{8}\b/g)].map(({ index, 0: match }) => ({
        start: index,
        end: index + match.length,
        rule: "key",
      })),
    ),
    fails: ["redaction.gone"],
  },
  {
    wrong: "finds what is none",
    make: policy((text) =>
      [...text.matchAll(/key-?[a-z0-9]{4,}/g)].map(({ index, 0: match }) => ({
        start: index,
        end: index + match.length,
        rule: "key",
      })),
    ),
    fails: ["redaction.clean"],
  },
  {
    wrong: "cannot read half a character",
    make: policy((text) => {
      if (!text.isWellFormed()) throw new Error("malformed");
      return findingsIn(text);
    }),
    fails: ["redaction.nothing"],
  },
];

describe("the redaction suite", () => {
  expectBroken(redactionConformance, policy(), POLICIES);
});

const strict = (accepts: (key: string) => boolean): StandardSchema<JsonObject> => ({
  "~standard": {
    version: 1,
    vendor: "test",
    validate(value) {
      if (!isJsonObject(value)) return { issues: [{ message: "no object" }] };
      const unknown = Object.keys(value).filter((key) => !accepts(key));
      return unknown.length > 0 ? { issues: [{ message: "unknown key", path: unknown }] } : { value: value };
    },
  },
});

const GREETING = token<string>("test/greeting");
const options = strict((key) => key === "level");
const plugin: Plugin = definePlugin({
  name: "test-plugin",
  api: 1,
  providers: [
    codecProvider("frames", {
      options,
      needs: [GREETING],
      create: (_options, resolver) => ({ ...frameCodec(), greeting: resolver.get(GREETING) }),
    }),
    redactionProvider("key", { create: () => policy()().policy }),
    serviceProvider(GREETING, { create: () => "hello" }),
  ],
  presets: { test: { description: "for tests", sources: [{ use: "notes" }] } },
});

const rightPlugin = (): PluginSubject => ({ plugin, module: null });
const changed = (change: Partial<Plugin>) => (): PluginSubject => ({ plugin: { ...plugin, ...change }, module: null });
const withProvider = (...providers: NonNullable<Plugin["providers"]>) => changed({ providers });
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}.mjs`, import.meta.url));

const PLUGINS: readonly Broken<PluginSubject>[] = [
  {
    wrong: "is written for another API",
    make: changed({ api: 2 }),
    fails: ["plugin.subject"],
  },
  { wrong: "has no name", make: changed({ name: "" }), fails: ["plugin.subject"] },
  {
    wrong: "provides one name twice",
    make: withProvider(
      redactionProvider("key", { create: () => policy()().policy }),
      redactionProvider("key", { create: () => policy()().policy }),
    ),
    fails: ["plugin.providers"],
  },
  {
    wrong: "takes any option",
    make: withProvider(codecProvider("frames", { options: strict(() => true), create: () => frameCodec() })),
    fails: ["plugin.options.strict"],
  },
  {
    wrong: "throws for wrong options",
    make: withProvider(
      codecProvider("frames", {
        options: {
          "~standard": {
            ...options["~standard"],
            validate: (value) => {
              if (!isJsonObject(value)) throw new TypeError("no object");
              return options["~standard"].validate(value);
            },
          },
        },
        create: () => frameCodec(),
      }),
    ),
    fails: ["plugin.options"],
  },
  {
    wrong: "asks for more than it needs",
    make: withProvider(
      codecProvider("frames", {
        create: (_options, resolver) => {
          resolver.get(LOGGER);
          resolver.get(GREETING);
          return frameCodec();
        },
      }),
    ),
    fails: ["plugin.create", "plugin.create.quiet", "plugin.dispose"],
  },
  {
    wrong: "makes half a codec",
    make: withProvider(codecProvider("frames", { create: () => ({ ...frameCodec(), decode: undefined as never }) })),
    fails: ["plugin.create"],
  },
  {
    wrong: "writes when it is made",
    make: withProvider(
      codecProvider("frames", {
        create: async (_options, _resolver, { baseDir }) => {
          await writeFile(join(baseDir, "made"), "");
          return frameCodec();
        },
      }),
    ),
    fails: ["plugin.create.quiet"],
  },
  {
    wrong: "makes what cannot be disposed twice",
    make: withProvider(
      codecProvider("frames", {
        create: () => {
          let count = 0;
          return {
            ...frameCodec(),
            [Symbol.dispose]() {
              // The kit disposes it once more at the end.
              if (++count === 2) throw new Error("disposed twice");
            },
          };
        },
      }),
    ),
    fails: ["plugin.dispose"],
  },
  {
    wrong: "has a preset that is no data",
    make: changed({ presets: { test: { description: "x", sources: [{ use: "a", when: new Date() as never }] } } }),
    fails: ["plugin.presets"],
  },
  {
    wrong: "speaks when it is imported",
    make: () => ({ plugin, module: fixture("speaks") }),
    fails: ["plugin.import"],
  },
  {
    wrong: "writes when it is imported",
    make: () => ({ plugin, module: fixture("writes") }),
    fails: ["plugin.import"],
  },
  {
    wrong: "keeps the program that imports it from ending",
    make: () => ({ plugin, module: fixture("stays") }),
    fails: [],
    hangs: ["plugin.import"],
  },
  {
    wrong: "is not what its module exports",
    make: () => ({ plugin, module: fixture("other") }),
    fails: ["plugin.import.default"],
  },
];

describe("the plugin suite", () => {
  expectBroken(pluginConformance, rightPlugin, PLUGINS);
});

describe("the plugin suite, of a module", () => {
  expectBroken(pluginConformance, () => ({ plugin, module: fixture("right") }), []);
});
