import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Bench } from "./support/keepsake.js";

const bench = new Bench();
const core = JSON.stringify(import.meta.resolve("@keepsake/core"));
const gzip = fileURLToPath(new URL("../../../examples/gzip-codec/gzip-codec.mjs", import.meta.url));

/** A policy that finds `key-` and eight letters, or with the option `short` one fewer. */
const POLICY = `
import { definePlugin, redactionProvider } from ${core};
const options = { "~standard": { version: 1, vendor: "test", validate: (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).every((key) => key === "short")
    ? { value } : { issues: [{ message: "wrong" }] } } };
export default definePlugin({ name: "acme", api: 1, providers: [redactionProvider("keys", { options, create: ({ short = 0 }) => ({
  id: "keys", rules: ["key"], scan: (text) => [...text.matchAll(/key-[a-z]{8}/g)].map(({ index }) => ({ start: index, end: index + 12 - short, rule: "key" })),
}) })] });
`;
const SAMPLES = `export const conformance = { keys: { samples: [{ text: "a key-abcdefgh b", secret: "key-abcdefgh" }], clean: ["key"] } };\n`;

interface Suite {
  readonly kind: string;
  readonly failed: number;
  readonly inverse: number;
  readonly cases: readonly { readonly id: string; readonly status: string; readonly error?: string }[];
}
const failedIn = (suites: unknown) =>
  (suites as Suite[]).flatMap(({ cases }) => cases.filter(({ status }) => status === "failed").map(({ id }) => id));

describe("plugin test", () => {
  it("runs the suites of a plugin and of what it provides, and ends with 0", async () => {
    await bench.write({ "acme.mjs": POLICY, "options.mjs": `export default { keys: {} };\n${SAMPLES}` });
    const ran = await bench.run(["plugin", "test", "./acme.mjs", "--options", "options.mjs", "--json"]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.json()).toMatchObject({ plugin: "acme", ok: true, file: bench.path("acme.mjs") });
    const suites = ran.json()["suites"] as Suite[];
    expect(suites.map(({ kind, failed, inverse }) => [kind, failed, inverse])).toEqual([
      ["plugin", 0, 0],
      ["redaction", 0, 0],
    ]);
    const without = await bench.run(["plugin", "test", "acme.mjs", "--use", "keys", "--json"]);
    expect(without.json()["suites"]).toMatchObject([{ kind: "redaction", failed: 0, inverse: 5 }]);
  });

  it("ends with 13 when a case fails, and says which and how", async () => {
    await bench.write({ "acme.mjs": POLICY, "short.mjs": `export default { keys: { short: 1 } };\n${SAMPLES}` });
    const args = ["plugin", "test", "./acme.mjs", "--use", "keys", "--options", "short.mjs"];
    const ran = await bench.run([...args, "--json"]);
    expect([ran.code, ran.json()["ok"]]).toEqual([13, false]);
    expect(failedIn(ran.json()["suites"])).toEqual(["redaction.found", "redaction.several", "redaction.long"]);
    const human = await bench.run(args);
    expect(human.code).toBe(13);
    expect(human.stdout).toMatch(/redaction\.found {2,}failed {2,}The whole secret/);
    expect(human.stdout).toContain("A secret is not found, or not all of it.");
    expect(human.stdout).toContain("6 passed, 3 failed");
    expect((await bench.run([...args, "--quiet"])).stdout).toBe("redaction.found\nredaction.several\nredaction.long\n");
  });

  it("takes options as YAML, and fills in a folder and a name for each case", async () => {
    await bench.write({ "options.yaml": "local-fs: { root: '{dir}/{unique}' }\n" });
    const plugin = fileURLToPath(new URL("../../local-fs/dist/plugin.js", import.meta.url));
    const ran = await bench.run(["plugin", "test", plugin, "--use", "local-fs", "--options", "options.yaml", "--json"]);
    expect([ran.code, failedIn(ran.json()["suites"])]).toEqual([0, []]);
    expect((ran.json()["suites"] as Suite[]).map(({ kind }) => kind)).toEqual(["store", "lock"]);
  });

  it("kills a process of its own in the place that the options name", async () => {
    const plugin = fileURLToPath(new URL("../../local-fs/dist/plugin.js", import.meta.url));
    const options = `export default { "local-fs": { root: "{dir}/{unique}" } };\n`;
    const asked = (fixture: string) => `${options}export const conformance = { "local-fs": ${fixture} };\n`;
    await bench.write({
      "crash.mjs": asked(`{ place: "{dir}/{unique}", crash: true }`),
      "placeless.mjs": asked("{ crash: true }"),
    });
    const args = ["plugin", "test", plugin, "--only", "store.crash", "--json"];
    const ran = await bench.run([...args, "--options", "crash.mjs"]);
    const suites = ran.json()["suites"] as Suite[];
    expect([ran.code, suites.map(({ cases }) => cases.map(({ id, status }) => [id, status]))]).toEqual([
      0,
      [[["store.subject", "passed"], ...["store.crash", "store.crash.synced"].map((id) => [id, "passed"])]],
    ]);
    const placeless = await bench.run([...args, "--options", "placeless.mjs"]);
    expect([placeless.code, placeless.error().code]).toEqual([2, "E_CONFIG"]);
  }, 120_000);

  it("ends with 2 for what is none of its providers, and for options that cannot be read or are refused", async () => {
    for (const [args, code] of [
      [["--use", "nothing"], "E_USAGE"],
      [["--options", "missing.yaml"], "E_CONFIG"],
      [["--options", "list.yaml"], "E_CONFIG"],
      [["--options", "other.yaml"], "E_USAGE"],
    ] as const) {
      await bench.write({ "list.yaml": "[1]\n", "other.yaml": "nobody: {}\n" });
      const ran = await bench.run(["plugin", "test", gzip, ...args, "--json"]);
      expect([ran.code, ran.error().code]).toEqual([2, code]);
    }
    const missing = await bench.run(["plugin", "test", "./nothing.mjs", "--json"]);
    expect([missing.code, missing.error().code]).toEqual([13, "E_PLUGIN_LOAD"]);
  });
});
