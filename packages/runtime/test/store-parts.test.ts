import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type BundleStore,
  definePlugin,
  parseAgentId,
  parseTenantId,
  type Plugin,
  SILENT_LOGGER,
  storeProvider,
  storeToken,
} from "@keepsake/core";
import { tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createKeepsake } from "../src/create-keepsake.js";
import { loadConfig } from "../src/config/load-config.js";
import type { KeepsakeConfigInput } from "../src/config/schema.js";
import { Kernel } from "../src/kernel/kernel.js";
import { ConfiguredWorkspace } from "../src/workspace/configured-workspace.js";
import { failure, problemsOf } from "./failure.js";
import { fakePlugin, fakeStore } from "./fake-parts.js";

interface Joined extends BundleStore {
  readonly parts: readonly BundleStore[];
}

/** Stores that are made of others, and note when they are made and closed. */
function joining(log: string[] = []): Plugin {
  const noted = (id: string, parts: readonly BundleStore[]): Joined => {
    log.push(`made ${id}`);
    const close = async (): Promise<void> => void log.push(`closed ${id}`);
    return Object.assign(fakeStore(id, undefined), { parts, [Symbol.asyncDispose]: close });
  };
  return definePlugin({
    name: "joining",
    api: 1,
    providers: [
      storeProvider("joined", {
        options: z.strictObject({ of: z.array(z.string()), hot: z.string().optional() }),
        needs: ({ of, hot }) => [...of, ...(hot === undefined ? [] : [hot])].map(storeToken),
        create: ({ of, hot }, resolver, { id = "?" }) =>
          noted(
            id,
            [...of, ...(hot === undefined ? [] : [hot])].map((name) => resolver.get(storeToken(name))),
          ),
      }),
      storeProvider("alone", {
        options: z.strictObject({ at: z.string().optional() }),
        create: (_options, _resolver, { id = "?" }) => noted(id, []),
      }),
      storeProvider("over-far", {
        needs: [storeToken("far")],
        create: (_options, resolver, { id = "?" }) => noted(id, [resolver.get(storeToken("far"))]),
      }),
      storeProvider("greedy", { create: (_o, resolver) => resolver.get(storeToken("far")) }),
      storeProvider("moody", {
        needs: () => {
          throw new RangeError("not today");
        },
        create: (_options, _resolver, { id = "?" }) => noted(id, []),
      }),
    ],
  });
}

const load = (source: KeepsakeConfigInput | { readonly file: string }, log?: string[]) =>
  loadConfig({ source, plugins: [fakePlugin(), joining(log)], cwd: "/base", env: { HOME: "/h" }, timeoutMs: 5000 });

async function open(config: KeepsakeConfigInput, log?: string[]) {
  const loaded = await load(config, log);
  const kernel = await Kernel.start({ registry: loaded.registry, builtIns: [], baseDir: "/base" });
  const workspace = await ConfiguredWorkspace.open({ loaded, kernel, cwd: "/base", env: {} });
  return { kernel, workspace };
}

const partsOf = (store: BundleStore | undefined): readonly string[] =>
  (store as Joined | undefined)?.parts.map(({ id }) => id) ?? [];

describe("stores that are made of others", () => {
  it("are made after them, each once, and closed before them", async () => {
    const log: string[] = [];
    const { kernel, workspace } = await open(
      {
        stores: {
          primary: { use: "joined", of: ["all", "near"] },
          all: { use: "joined", of: ["near", "far"] },
          near: { use: "alone" },
          far: { use: "alone" },
        },
      },
      log,
    );
    expect(log).toEqual(["made near", "made far", "made all", "made primary"]);
    expect(workspace.namedStores.map(({ name }) => name)).toEqual(["primary", "all", "near", "far"]);
    const [primary, all, near] = workspace.namedStores.map(({ store }) => store) as Joined[];
    expect(primary?.parts).toEqual([all, near]);
    expect(primary?.parts[0]).toBe(all);
    expect(all?.parts[0]).toBe(near);
    await kernel[Symbol.asyncDispose]();
    expect(log.slice(4)).toEqual(["closed primary", "closed all", "closed far", "closed near"]);
  });

  it("stand for them: a part is not listed and swept a second time", async () => {
    const { workspace } = await open({
      stores: {
        near: { use: "alone" },
        primary: { use: "joined", of: ["near", "far"] },
        far: { use: "alone" },
        mirror: { use: "alone", at: "elsewhere" },
      },
    });
    expect(workspace.stores.map(({ id }) => id)).toEqual(["primary", "mirror"]);
    expect(workspace.namedStores).toHaveLength(4);
  });

  it("may name them in a list of their own", async () => {
    const { workspace } = await open({ stores: { primary: { use: "over-far" }, far: { use: "alone" } } });
    expect(partsOf(workspace.stores[0])).toEqual(["far"]);
  });

  it("are made of an agent's own where it has one, and shared where it has not", async () => {
    const { workspace } = await open({
      agents: { ana: { memory: "/m", stores: { near: { use: "alone", at: "of ana" } } }, bob: { memory: "/m" } },
      stores: { primary: { use: "joined", of: ["near", "far"] }, near: { use: "alone" }, far: { use: "alone" } },
    });
    const storeOf = async (agent: string): Promise<Joined> => {
      const { store } = await workspace.storeOf({ tenant: parseTenantId("default"), agent: parseAgentId(agent) });
      return store as Joined;
    };
    const [ana, bob] = [await storeOf("ana"), await storeOf("bob")];
    expect(ana).not.toBe(bob);
    expect(ana.parts[0]).not.toBe(bob.parts[0]);
    expect(ana.parts[1]).toBe(bob.parts[1]);
    expect(await storeOf("ana")).toBe(ana);
    expect(workspace.stores).toEqual([bob, ana]);
  });
});

describe("wrong parts of stores", () => {
  it("in a circle are refused with its path, the file and the line", async () => {
    await using dir = await tempDir();
    const file = join(dir.path, "keepsake.yaml");
    await writeFile(
      file,
      "stores:\n  near: { use: alone }\n  primary: { use: joined, of: [near, far] }\n  far: { use: joined, of: [primary] }\n",
    );
    const error = await failure(load({ file }));
    expect(error.code).toBe("E_PLUGIN_CYCLE");
    expect(error.message).toContain("primary → far → primary");
    expect(error.context).toEqual({
      cycle: ["primary", "far", "primary"],
      config: file,
      path: "stores.primary",
      line: 3,
    });
    const self = await failure(load({ stores: { primary: { use: "joined", of: ["primary"] } } }));
    expect(self.context["cycle"]).toEqual(["primary", "primary"]);
  });

  it("are told all at once, with their places and what was meant", async () => {
    const problems = problemsOf(
      await failure(
        load({
          stores: {
            primary: { use: "joined", of: ["near", "faar"], hot: "nearr" },
            near: { use: "joined", of: ["near"] },
            far: { use: "alone" },
          },
          agents: { ana: { memory: "/m", stores: { own: { use: "joined", of: ["lost-entirely"] } } } },
        }),
      ),
    );
    expect(problems).toEqual([
      'stores.primary.of[1]: unknown store "faar"; did you mean "far"?',
      'stores.primary.hot: unknown store "nearr"; did you mean "near"?',
      'agents.ana.stores.own.of[0]: unknown store "lost-entirely"; known are far, near, primary',
      "stores.near: stores are made of each other in a circle: near → near",
    ]);
  });

  it("are told where the list is the provider's own, and where the options are wrong otherwise", async () => {
    expect(problemsOf(await failure(load({ stores: { primary: { use: "over-far" } } })))).toEqual([
      'stores.primary: unknown store "far"; there are none',
    ]);
    expect(
      problemsOf(
        await failure(load({ cut: { attempts: 0 }, stores: { primary: { use: "joined", of: [1] as never } } })),
      ),
    ).toEqual([
      "cut.attempts: Too small: expected number to be >=1",
      "stores.primary.of[0]: Invalid input: expected string, received number",
    ]);
  });

  it("an agent may name the default store", async () => {
    const config = { agents: { ana: { memory: "/m", stores: { all: { use: "joined", of: ["primary"] } } } } };
    await load(config);
    expect(problemsOf(await failure(load({ ...config, cut: { attempts: 0 } })))).toHaveLength(1);
  });

  it("are told with the plugin's name when it cannot say what it needs", async () => {
    const error = await failure(load({ stores: { primary: { use: "moody" } } }));
    expect([error.code, error.context["plugin"]]).toEqual(["E_PLUGIN_FAILED", "joining"]);
    expect(error.message).toContain("not today");
  });

  it("which are not named among the needs are not given", async () => {
    const error = await failure(open({ stores: { primary: { use: "greedy" }, far: { use: "alone" } } }));
    expect([error.code, error.context["token"]]).toEqual(["E_PLUGIN_FAILED", "keepsake/store/far"]);
  });
});

it("plugins shows each store once, with the parts of others", async () => {
  await using dir = await tempDir();
  await using keepsake = await createKeepsake({
    config: { stores: { primary: { use: "joined", of: ["far"] }, far: { use: "alone" } } },
    plugins: [fakePlugin(), joining()],
    logger: SILENT_LOGGER,
    cwd: dir.path,
    env: {},
  });
  const [, plugin] = await keepsake.plugins();
  const instances = plugin?.providers.map(({ name, instances: of }) => [name, of.map(({ id }) => id)]);
  expect(instances?.slice(0, 2)).toEqual([
    ["joined", ["primary"]],
    ["alone", ["far"]],
  ]);
});
