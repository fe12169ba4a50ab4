import { describe, expect, it } from "vitest";
import { Bench } from "./support/keepsake.js";
import { makeMemory } from "./support/memory.js";

const bench = new Bench();

const provider = (kind: string, name: string, body: string): string => `{ kind: "${kind}", name: "${name}", ${body} }`;
const plugin = (name: string, ...providers: readonly string[]): string =>
  `export default { name: "${name}", api: 1, providers: [${providers.join(", ")}] };`;

const FAILING = plugin(
  "failing",
  provider("redaction", "wordless", `create() { throw new Error("no words here"); }`),
  provider("state", "stateless", `create() { throw new Error("no state here"); }`),
  provider("source", "rootless", `create() { throw new Error("no root here"); }`),
);

describe("a part that cannot be made", () => {
  it("is what config check ends with, and a problem for doctor, though nothing has needed it yet", async () => {
    await bench.write({
      "failing.mjs": FAILING,
      "one.yaml": "plugins: [./failing.mjs]\nredaction: { policies: [default, { use: wordless, mode: block }] }\n",
    });
    const checked = await bench.run(["config", "check", "--config", "one.yaml", "--json"]);
    expect(checked).toMatchObject({ code: 13, stdout: "" });
    expect(checked.error().message).toContain("no words here");
    const ran = await bench.run(["doctor", "--config", "one.yaml", "--json"]);
    expect(ran.code).toBe(1);
    expect(ran.json()["findings"]).toContainEqual(
      expect.objectContaining({
        name: "plugin",
        status: "problem",
        message: expect.stringContaining("no words here") as string,
      }),
    );
  });

  it("does not hide another: of every agent, all of them are named", async () => {
    await bench.write({
      "failing.mjs": FAILING,
      "all.yaml": `
plugins: [./failing.mjs]
redaction: { policies: [wordless] }
agents:
  "*": { state: [{ use: stateless }] }
  ana: { sources: [{ use: rootless }] }
`,
    });
    const { code, stderr } = await bench.run(["config", "check", "--config", "all.yaml"]);
    expect(code).toBe(13);
    for (const reason of ["no words here", "no state here", "no root here"]) expect(stderr).toContain(reason);
  });
});

describe("stores, locks and publishers that cannot be made", () => {
  const config = `
plugins: [./broken.mjs]
lock: { use: lockless }
events: { publishers: [{ use: mute }] }
sources: [{ use: rootless }]
stores:
  primary: { use: shelfless }
  second: { use: shapeless }
  third: { use: logging, store: primary }
`;
  const BROKEN = plugin(
    "broken",
    provider("lock", "lockless", `create() { throw new Error("no lock here"); }`),
    provider("events", "mute", `create() { throw new Error("no voice here"); }`),
    provider("store", "shelfless", `create() { throw new Error("no shelf here"); }`),
    provider("store", "shapeless", `create: () => undefined`),
    provider("source", "rootless", `create() { throw new Error("no root here"); }`),
  );
  const REASONS = [
    "no lock here",
    "no voice here",
    "no shelf here",
    "shapeless of plugin broken made lacks",
    "no root here",
  ];

  it("are all told at once, each where it stands and once, by every command", async () => {
    await bench.write({ "broken.mjs": BROKEN, "broken.yaml": config });
    for (const command of [["config", "check"], ["list", "--agent", "ana"], ["plugins"]]) {
      const { code, stderr } = await bench.run([...command, "--config", "broken.yaml"]);
      expect(code).toBe(13);
      expect(stderr).toContain("error: 5 problems");
      for (const reason of REASONS) expect(stderr.split(reason)).toHaveLength(2);
      for (const place of ["lock: ", "events.publishers[0]: ", "stores.primary: ", "stores.second: "])
        expect(stderr).toContain(`broken.yaml: ${place}`);
    }
  });

  it("are findings of doctor, one each", async () => {
    await bench.write({ "broken.mjs": BROKEN, "broken.yaml": config });
    const ran = await bench.run(["doctor", "--config", "broken.yaml", "--json"]);
    const { findings } = ran.json() as { findings: { name: string; status: string; message: string }[] };
    expect(findings).toHaveLength(REASONS.length);
    for (const [index, reason] of REASONS.entries())
      expect(findings[index]).toMatchObject({ status: "problem", message: expect.stringContaining(reason) as string });
  });

  it("are the error as it is where there is one alone", async () => {
    await bench.write({
      "broken.mjs": BROKEN,
      "one.yaml": "plugins: [./broken.mjs]\nstores: { primary: { use: shelfless } }\n",
    });
    const ran = await bench.run(["config", "check", "--config", "one.yaml", "--json"]);
    expect(ran.error().message).toBe("The store provider shelfless of plugin broken failed: no shelf here");
  });
});

describe("plugins", () => {
  it("shows sources, state, policies and locks as in use, with whose they are", async () => {
    await bench.write({
      "use.yaml": `
redaction: { policies: [default], mode: warn }
agents: { ana: { sources: [{ use: memdir, id: notes }] } }
`,
    });
    const ran = await bench.run(["plugins", "--config", "use.yaml", "--json"]);
    const plugins = ran.json()["plugins"] as {
      providers: { kind: string; name: string; instances: unknown[] }[];
    }[];
    const used = Object.fromEntries(
      plugins.flatMap(({ providers }) => providers.map(({ kind, name, instances }) => [`${kind} ${name}`, instances])),
    );
    expect(used["source memdir"]).toEqual([{ id: "memdir" }, { id: "notes", agent: "ana" }]);
    expect(used["source git"]).toEqual([{ id: "git" }]);
    expect(used["redaction default"]).toEqual([{ mode: "warn" }]);
    expect(used["lock local-fs"]).toEqual([{ timeout_secs: 60 }]);
    expect(used["lock memory"]).toEqual([]);
  });
});

describe("all problems at once", () => {
  it("names stores that are not there beside options that are wrong, also those of the same store", async () => {
    await bench.write({
      "throws.mjs": plugin(
        "throws",
        provider(
          "redaction",
          "throws",
          `options: { "~standard": { version: 1, vendor: "x", validate() { throw new Error("no schema"); } } }, create() {}`,
        ),
      ),
      "many.yaml": `
plugins: [./throws.mjs]
stores:
  primary: { use: replicated, stores: [disk, dusk, nope], stall_secs: long }
  disk: { use: local-fs, rot: ./x }
  dusk: { use: tiered, hot: dosk, cold: disk }
redaction: { policies: [throws] }
`,
    });
    const ran = await bench.run(["config", "check", "--config", "many.yaml", "--json"]);
    expect(ran.code).toBe(2);
    const { problems } = ran.error().context as { problems: { path: string; message: string }[] };
    expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'stores.primary.stores[2]: unknown store "nope"; known are disk, dusk',
      "stores.primary.stall_secs: Invalid input: expected number, received string",
      'stores.disk.rot: unknown key; did you mean "root"?',
      "stores.dusk.after_days: Invalid input: expected number, received undefined",
      'stores.dusk.hot: unknown store "dosk"; did you mean "disk"?',
      "redaction.policies[0]: The options of redaction provider throws of plugin throws failed: no schema",
    ]);
  });

  it("leaves a schema that fails alone its own code", async () => {
    await bench.write({ "alone.yaml": "plugins: [./throws.mjs]\nredaction: { policies: [throws] }\n" });
    const ran = await bench.run(["config", "check", "--config", "alone.yaml", "--json"]);
    expect([ran.code, ran.error().code]).toEqual([13, "E_PLUGIN_FAILED"]);
  });
});

describe("config schema", () => {
  it("is printed for who has a wrong configuration, with the options of what can be loaded, and ends as it is wrong", async () => {
    await bench.write({
      "acme.mjs": plugin("acme", provider("store", "acme-store", "create() { throw new Error('no place'); }")),
      "wrong.yaml": "plugins: [./acme.mjs, ./nowhere.mjs]\nagent: x\n",
      "fails.yaml": "plugins: [./acme.mjs]\nstores: { primary: { use: acme-store } }\n",
      "broken.yaml": "stores: {\n",
    });
    for (const [file, code, error] of [
      ["wrong.yaml", 2, "E_CONFIG"],
      ["fails.yaml", 13, "E_PLUGIN_FAILED"],
      ["broken.yaml", 2, "E_CONFIG"],
      ["none.yaml", 2, "E_CONFIG"],
    ] as const) {
      const ran = await bench.run(["config", "schema", "--config", file, "--json"]);
      expect([ran.code, ran.error().code]).toEqual([code, error]);
      expect(ran.json()["$schema"]).toContain("json-schema.org");
      expect(JSON.stringify(ran.json()).includes("acme-store")).toBe(file === "wrong.yaml" || file === "fails.yaml");
      expect(JSON.stringify(ran.json())).toContain("local-fs");
    }
  });
});

describe("stores and locks in the memory of the process", () => {
  it("are warned of by every command that works with them, and by config check", async () => {
    await makeMemory(bench, "ana");
    await bench.write({ "memory.yaml": "stores: { primary: { use: memory } }\nlock: { use: memory }\n" });
    for (const command of [
      ["snapshot", "--agent", "ana", "--memory", "ana"],
      ["list", "--agent", "ana"],
      ["config", "check"],
    ]) {
      const ran = await bench.run([...command, "--config", "memory.yaml"]);
      expect(ran.code).toBe(0);
      expect(ran.stderr).toMatch(/^warning: The store primary is the memory of this process: .* gone/m);
      expect(ran.stderr).toMatch(/^warning: The locks \(memory\) are in the memory of this process/m);
    }
    expect((await bench.run(["list", "--agent", "ana"])).stderr).not.toContain("memory of this process");
  });
});
