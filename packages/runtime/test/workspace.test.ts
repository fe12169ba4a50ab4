import {
  type AgentRef,
  codecProvider,
  definePlugin,
  parseAgentId,
  parseTenantId,
  type Plugin,
  sourceProvider,
  SYSTEM_CLOCK,
  CLOCK,
} from "@keepsake/core";
import { z } from "zod";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../src/config/load-config.js";
import type { KeepsakeConfigInput } from "../src/config/schema.js";
import { Kernel } from "../src/kernel/kernel.js";
import { ConfiguredWorkspace } from "../src/workspace/configured-workspace.js";
import { failure } from "./failure.js";
import { fakeCodec, fakePlugin, fakeSource } from "./fake-parts.js";

const refTo = (agent: string, tenant = "default"): AgentRef => ({
  tenant: parseTenantId(tenant),
  agent: parseAgentId(agent),
});
const madeOf = (part: unknown): unknown => (part as { readonly made?: unknown } | undefined)?.made;

/** A workspace whose kernel is never closed: the fakes hold nothing. */
async function open(config: KeepsakeConfigInput, ...more: readonly Plugin[]): Promise<ConfiguredWorkspace> {
  const env = { HOME: "/home/ana" };
  const loaded = await loadConfig({
    source: config,
    plugins: [fakePlugin(), ...more],
    cwd: "/base",
    env,
    timeoutMs: 5000,
  });
  const kernel = await Kernel.start({
    registry: loaded.registry,
    builtIns: [{ token: CLOCK, value: SYSTEM_CLOCK }],
    baseDir: "/base",
  });
  return ConfiguredWorkspace.open({ loaded, kernel, cwd: "/cwd", env });
}

describe("where an agent's memory is", () => {
  const config: KeepsakeConfigInput = {
    agents: { "*": { memory: "./agents/{tenant}/{agent}" }, bob: { memory: "/srv/bob" }, eve: { preset: "home" } },
  };
  it("is what the request says, else its own entry, else the template", async () => {
    const workspace = await open(config);
    const memoryOf = async (agent: string, requested?: string) =>
      (await workspace.profile(refTo(agent, "acme"), requested)).paths.memory;
    expect(await memoryOf("bob")).toBe("/srv/bob");
    expect(await memoryOf("bob", "./here")).toBe("/cwd/here");
    expect(await memoryOf("bob", "~/x")).toBe("/home/ana/x");
    expect(await memoryOf("ana")).toBe("/base/agents/acme/ana");
    expect(await memoryOf("eve")).toBe("/base/agents/acme/eve");
    expect(await memoryOf("constructor")).toBe("/base/agents/acme/constructor");
  });

  it("is what the preset says when nothing else does", async () => {
    const workspace = await open({ preset: "home" });
    expect((await workspace.profile(refTo("ana", "acme"))).paths.memory).toBe("/home/ana/agents/acme/ana");
  });

  it("is an error when nothing says it", async () => {
    const workspace = await open({ agents: { bob: { memory: "/srv/bob" } } });
    const error = await failure(workspace.profile(refTo("ana")));
    expect([error.code, error.context]).toEqual(["E_UNKNOWN_AGENT", { agent: "ana", tenant: "default" }]);
    expect((await workspace.profile(refTo("ana"), "/m")).paths.memory).toBe("/m");
    expect((await workspace.storeOf(refTo("ana"))).store.id).toBe("primary");
  });
});

describe("what an agent has", () => {
  it("is decided by its own entry, then the template, then the top", async () => {
    const workspace = await open({
      preset: "home",
      agents: {
        "*": { memory: "/m/{agent}" },
        own: { sources: [{ use: "sqlite", tag: "{tenant}-{agent}" }] },
        plain: { preset: "directory" },
        still: { state: [] },
      },
      state: [{ use: "json-file", id: "top", keys: { top: "x" } }],
    });
    const ids = async (agent: string) => {
      const { sources, state } = await workspace.profile(refTo(agent, "acme"));
      return [sources.map(({ id }) => id), state.flatMap(({ keys }) => keys)];
    };
    expect(await ids("any")).toEqual([["memory_files"], ["top"]]);
    expect(await ids("own")).toEqual([["sqlite"], ["top"]]);
    expect(await ids("plain")).toEqual([["sqlite", "memory_files"], ["top"]]);
    expect(await ids("still")).toEqual([["memory_files"], []]);
    const { sources } = await workspace.profile(refTo("own", "acme"));
    expect(sources.map(madeOf)).toEqual([{ tag: "acme-own", baseDir: "/base" }]);
  });

  it("takes the preset's state with the preset", async () => {
    const workspace = await open({ agents: { "*": { memory: "/m" }, eve: { preset: "home" } } });
    expect((await workspace.profile(refTo("eve"))).state.flatMap(({ keys }) => keys)).toEqual(["cursor"]);
    expect((await workspace.profile(refTo("bob"))).state).toEqual([]);
  });

  it("may stand several times with ids of its own", async () => {
    const workspace = await open({
      sources: [{ use: "sqlite", id: "one" }, { use: "sqlite", id: "two" }, { use: "memdir" }],
    });
    expect((await workspace.profile(refTo("a"), "/m")).sources.map(({ id }) => id)).toEqual([
      "one",
      "two",
      "memory_files",
    ]);
  });

  const ODD = definePlugin({
    name: "odd",
    api: 1,
    providers: [
      sourceProvider("twin", { create: () => fakeSource("sqlite", 1) }),
      sourceProvider("rest", { create: () => fakeSource("rest", 1, "remainder") }),
      sourceProvider("bad", { create: () => fakeSource("Bad Id", 1) }),
    ],
  });
  const WRONG: readonly (readonly [
    string,
    string,
    readonly { readonly use: string; readonly id?: string }[],
    string,
  ])[] = [
    ["two with one id", "E_CONFIG", [{ use: "sqlite" }, { use: "twin" }], "id sqlite"],
    ["two that take the rest", "E_CONFIG", [{ use: "memdir" }, { use: "rest" }], "memory_files, rest"],
    ["one that ignores its id", "E_PLUGIN_FAILED", [{ use: "twin", id: "mine" }], "mine"],
    ["one with an invalid id", "E_PLUGIN_FAILED", [{ use: "bad" }], "Bad Id"],
  ];
  for (const [name, code, sources, message] of WRONG) {
    it(`is refused: ${name}`, async () => {
      const error = await failure((await open({ sources: [...sources] }, ODD)).profile(refTo("a"), "/m"));
      expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
    });
  }

  it("is refused when one key has two state providers", async () => {
    const state = ["one", "two"].map((id) => ({ use: "json-file", id, keys: { cursor: `${id}.json` } }));
    const error = await failure((await open({ state })).profile(refTo("a"), "/m"));
    expect([error.code, error.context]).toEqual(["E_CONFIG", { key: "cursor" }]);
  });

  it("has the numbers of the configuration in code's units", async () => {
    const workspace = await open({
      lock: { timeout_secs: 1.5 },
      limits: { max_bundle_bytes: 5000 },
      retention: { keep_count: null, max_age_days: 3, keep_daily: 7 },
      encryption: { private_labels: true },
      redaction: { default: false, policies: ["default", { use: "words", words: ["ab"] }] },
    });
    const profile = await workspace.profile(refTo("a"), "/m");
    expect(profile.lock).toEqual({ timeoutMs: 1500 });
    expect(profile.limits).toEqual({ maxManifestBytes: 67_108_864, maxBundleBytes: 5000 });
    expect(profile.retention).toEqual({ maxAgeDays: 3, daily: 7 });
    expect(profile.encryption).toEqual({ byDefault: false, privateLabels: true, hasKeys: false });
    const { byDefault, policies } = profile.redaction;
    const { policy } = await policies();
    expect([byDefault, policy.rules]).toEqual([false, ["default", "ab"]]);
    expect((await policies()).policy).toBe(policy);
    expect((await (await open({})).profile(refTo("a"), "/m")).limits.maxBundleBytes).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe("stores", () => {
  it("are all there, the primary one first, and each agent has its own", async () => {
    const store = (root: string) => ({ use: "local-fs", root });
    const workspace = await open({
      stores: { second: store("/2"), primary: store("/1") },
      agents: { ana: { stores: { primary: store("/ana") } }, bob: { stores: { primary: store("/1") } } },
    });
    expect(workspace.stores.map(madeOf)).toEqual([{ root: "/1" }, { root: "/2" }, { root: "/ana" }]);
    const storeOf = async (agent: string) => madeOf((await workspace.storeOf(refTo(agent))).store);
    expect([await storeOf("ana"), await storeOf("bob"), await storeOf("eve")]).toEqual([
      { root: "/ana" },
      { root: "/1" },
      { root: "/1" },
    ]);
    expect((await workspace.storeOf(refTo("bob"))).store).toBe(workspace.stores[0]);
  });
});

describe("writing", () => {
  const ana = refTo("ana");
  it("uses the codecs in order, and encrypts when that is asked for or configured", async () => {
    const off = await open({ encryption: { recipients: ["age1config"] } });
    const suffixes = async (...args: Parameters<ConfiguredWorkspace["encoders"]>) =>
      (await off.encoders(...args)).map(({ suffix }) => suffix);
    expect(await suffixes(ana, {})).toEqual([".zst"]);
    expect(await suffixes(ana, { toOwnersOf: ["id.txt"] })).toEqual([".zst"]);
    expect(await suffixes(ana, { forceEncryption: true })).toEqual([".zst", ".age"]);
    expect(madeOf((await off.encoders(ana, { forceEncryption: true }))[1])).toEqual({ recipients: ["age1config"] });
    expect(madeOf((await off.encoders(ana, { recipients: ["age1mine"] }))[1])).toEqual({ recipients: ["age1mine"] });
    const on = await open({ encryption: { enabled: true, recipients: ["age1config"] } });
    expect(madeOf((await on.encoders(ana, {}))[1])).toEqual({ recipients: ["age1config"] });
  });

  it("falls back to a passphrase, then to the owners of the identities", async () => {
    const phrase = await open({ encryption: { enabled: true, passphrase: { env: "P" } } });
    expect(madeOf((await phrase.encoders(ana, {}))[1])).toEqual({ passphrase: { env: "P" } });
    const none = await open({ encryption: { identity_file: "own.txt" } });
    expect(madeOf((await none.encoders(ana, { forceEncryption: true, toOwnersOf: ["id.txt"] }))[1])).toEqual({
      owners_of: ["/base/own.txt", "/cwd/id.txt"],
    });
  });

  it("to nobody, or to a malformed recipient, is refused", async () => {
    const workspace = await open({});
    for (const request of [{ recipients: [] }, { forceEncryption: true }]) {
      expect((await failure(workspace.encoders(ana, request))).code).toBe("E_RECIPIENT");
    }
    const error = await failure(workspace.encoders(ana, { recipients: ["age1ok", "pgp"] }));
    expect([error.code, error.context]).toEqual(["E_RECIPIENT", { index: 1 }]);
  });
});

describe("reading", () => {
  const gzip = definePlugin({
    name: "gzip",
    api: 1,
    providers: [
      codecProvider("gzip", { create: () => fakeCodec("gzip", ".gz", 1) }),
      codecProvider("two-part", { create: () => fakeCodec("two-part", ".x.gz", 1) }),
      codecProvider("needy", {
        options: z.strictObject({ dictionary: z.string() }),
        create: ({ dictionary }) => fakeCodec("needy", ".dict", dictionary),
      }),
    ],
  });
  const chain = async (workspace: ConfiguredWorkspace, name: string) =>
    (await workspace.decoders(name, [])).map(({ id }) => id);

  it("finds the codecs by the file's name, outermost first, of every plugin", async () => {
    const workspace = await open({}, gzip);
    expect(await chain(workspace, "x.tar")).toEqual([]);
    expect(await chain(workspace, "/some/where.tar/x.tar.zst")).toEqual(["zstd"]);
    expect(await chain(workspace, "x.tar.zst.age")).toEqual(["age", "zstd"]);
    expect(await chain(workspace, "x.tar.gz.zst.gz")).toEqual(["gzip", "zstd", "gzip"]);
    expect(await chain(workspace, "x.tar.x.gz")).toEqual(["two-part"]);
  });

  it("refuses a suffix of nobody with those there are", async () => {
    const workspace = await open({}, gzip);
    for (const [name, suffix] of [
      ["x.tar.br", ".br"],
      ["x.tar.br.zst", ".br"],
      ["x.zip", ".zip"],
      ["bundle", "bundle"],
      ["x.tar.dict", ".dict"],
    ] as const) {
      const error = await failure(workspace.decoders(name, []));
      expect([error.code, error.context["suffix"]]).toEqual(["E_UNSUPPORTED", suffix]);
      expect(error.message).toContain(".zst");
      expect(error.context["known"]).toEqual([".zst", ".age", ".gz", ".x.gz"]);
    }
  });

  it("uses a codec's configured options, of any agent", async () => {
    const codecs = [
      { use: "needy", dictionary: "d" },
      { use: "zstd", level: 9 },
    ];
    const workspace = await open({ agents: { ana: { codecs } } }, gzip);
    expect((await workspace.decoders("x.tar.dict", [])).map(madeOf)).toEqual(["d"]);
    expect((await workspace.encoders(refTo("ana"), {})).map(madeOf)).toEqual(["d", { level: 9 }]);
    expect((await workspace.encoders(refTo("bob"), {})).map(madeOf)).toEqual([{ level: 3 }]);
  });

  it("gives the encryption the identities, and only it", async () => {
    const workspace = await open({ encryption: { identity_file: "./own.txt" } });
    const made = (await workspace.decoders("x.tar.zst.age", ["id.txt", "/abs.txt", "id.txt"])).map(madeOf);
    expect(made).toEqual([{ identity_files: ["/base/own.txt", "/cwd/id.txt", "/abs.txt"] }, { level: 3 }]);
  });
});
