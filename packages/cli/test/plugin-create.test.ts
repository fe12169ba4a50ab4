import { mkdir, readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { writeFolder } from "../src/create/write-folder.js";
import { Bench } from "./support/keepsake.js";

const bench = new Bench();
const KINDS = ["store", "codec", "source", "redaction", "state", "lock"];

interface Manifest {
  readonly name: string;
  readonly keepsake: { readonly conformance: string };
  readonly [key: string]: unknown;
}
const manifestIn = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(bench.path(folder, "package.json"), "utf8")) as Manifest;

/** Everything in the folder, one text. */
async function textOf(folder: string): Promise<string> {
  const entries = await readdir(bench.path(folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => `${parentPath}/${name}`);
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return [...files, ...texts].join("\n");
}

describe("plugin create", () => {
  it.each(KINDS)("writes a package for a %s, in which nothing of the template's name is left", async (kind) => {
    const ran = await bench.run(["plugin", "create", kind, `@acme/fast-${kind}`, "--json"]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const folder = `fast-${kind}`;
    expect(ran.json()).toMatchObject({ kind, name: `@acme/fast-${kind}`, folder: bench.path(folder) });
    expect(ran.json()["files"]).toEqual(
      expect.arrayContaining([
        ...[".gitignore", "README.md", "package.json", "tsconfig.json", "src/index.ts", `src/fast-${kind}.ts`],
        ...["test/conformance-options.ts", "test/conformance.test.ts"],
      ]),
    );
    const text = await textOf(folder);
    expect(text).not.toMatch(new RegExp(`my[-_]?${kind}|@scope|my-plugin`, "i"));
    expect(text).toContain(`plugins: ["@acme/fast-${kind}"]`);
    expect(text).toContain(`name: "fast-${kind}"`);

    const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as Manifest;
    const range = `^${String(version)}`;
    expect(await manifestIn(folder)).toMatchObject({
      name: `@acme/fast-${kind}`,
      engines: { node: ">=20.19" },
      peerDependencies: { "@keepsake/core": range },
      devDependencies: { "@keepsake/core": range, "@keepsake/testkit": range },
    });
    expect((await readdir(bench.dir)).filter((name) => name.includes("partial"))).toEqual([]);
  });

  it("says what comes next, and takes a folder that is empty for one", async () => {
    await mkdir(bench.path("empty"));
    const ran = await bench.run(["plugin", "create", "codec", "fast", "--dir", "empty"]);
    expect(ran).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Next:\n {2}cd empty\n(?: {2}.*\n)+ {2}npm test\n$/) as string,
    });
    expect(await readFile(bench.path("empty/src/index.ts"), "utf8")).toContain("fastCodec");
    const here = await bench.run(["plugin", "create", "codec", "fast", "--dir", "."], { cwd: await fresh("here") });
    expect(here.code).toBe(0);
    expect((await manifestIn("here")).name).toBe("fast");
  });

  it("touches nothing where there is something", async () => {
    await bench.write({ "full/note.md": "mine", file: "mine" });
    for (const dir of ["full", "file", "file/below"]) {
      const ran = await bench.run(["plugin", "create", "store", "acme-store", "--dir", dir, "--json"]);
      expect([dir, ran.code, ran.error().code]).toEqual([dir, 10, "E_ALREADY_EXISTS"]);
    }
    expect(await readdir(bench.path("full"))).toEqual(["note.md"]);
    expect(await readFile(bench.path("file"), "utf8")).toBe("mine");
  });

  it("refuses a kind that there is not, and names that no function or package can have", async () => {
    for (const [kind, name] of [
      ["shop", "acme"],
      ["events", "acme"],
      ...["", "Acme", "-acme", "acme_store", "../acme", "@acme", "@acme/", "a/b/c", "7up", "a--b", "x".repeat(61)].map(
        (bad) => ["store", bad] as const,
      ),
      // What the template's own code is made of.
      ["store", "bundle-store"],
      ["lock", "held-lock"],
    ] as const) {
      const ran = await bench.run(["plugin", "create", kind, name, "--dir", "never", "--json"]);
      expect([kind, name, ran.code, ran.error().code]).toEqual([kind, name, 2, "E_USAGE"]);
    }
    expect(await readdir(bench.dir)).not.toContain("never");
  });
});

describe("what to do next", () => {
  it("installs what this checkout packs, for what it asks for is not published", async () => {
    const ran = await bench.run(["plugin", "create", "store", "next-store", "--dir", "a b/next-store"]);
    const [, pack = ""] = /^ {2}node (.*) \.\.\/keepsake-tarballs$/m.exec(ran.stdout) ?? [];
    const { packAll } = (await import(pack)) as { readonly packAll: unknown };
    expect(packAll).toBeTypeOf("function");
    expect(ran.stdout).toContain("\n  cd 'a b/next-store'\n");
    const { dependencies, devDependencies } = JSON.parse(
      await readFile(bench.path("a b/next-store/package.json"), "utf8"),
    ) as Record<string, Record<string, string>>;
    const asked = Object.entries({ ...dependencies, ...devDependencies }).filter(([name]) =>
      name.startsWith("@keepsake/"),
    );
    for (const [name, range] of asked) {
      const tarball = `${name.replace("@", "").replace("/", "-")}-${range.replace("^", "")}.tgz`;
      expect(ran.stdout).toContain(` ../keepsake-tarballs/${tarball}`);
    }
    expect(asked.length).toBeGreaterThan(1);
  });
});

describe("writing the folder", () => {
  const files = new Map([
    ["a/one.txt", "1"],
    ["b/two.txt", "2"],
    ["b", "cannot be: there is a folder of this name"],
  ]);
  const never = new AbortController().signal;

  it("leaves nothing of what it could not finish, nor the folders on the way", async () => {
    await fresh("half");
    for (const folder of ["half/new", "half/x/y/new"]) {
      await expect(writeFolder(bench.path(folder), files, never)).rejects.toMatchObject({ name: "KeepsakeError" });
    }
    expect(await readdir(bench.path("half"))).toEqual([]);
    await expect(writeFolder(bench.path("half"), files, never)).rejects.toMatchObject({ name: "KeepsakeError" });
    expect(await readdir(bench.path("half"))).toEqual([]);
  });

  it("stops with the signal's reason, and leaves nothing", async () => {
    await fresh("stopped");
    const reason = new DOMException("stop", "AbortError");
    const stopped = writeFolder(bench.path("stopped/other"), files, AbortSignal.abort(reason));
    await expect(stopped).rejects.toBe(reason);
    expect(await readdir(bench.path("stopped"))).toEqual([]);
  });
});

describe("plugin test of a folder", () => {
  const core = JSON.stringify(import.meta.resolve("@keepsake/core"));
  const PLUGIN = `import { codecProvider, definePlugin } from ${core};
const codec = { id: "plain", suffix: ".raw", encode: (input) => input, decode: (input) => input };
export default definePlugin({ name: "acme", api: 1, providers: [codecProvider("plain", { create: () => codec })] });\n`;
  const pack = (manifest: object) => JSON.stringify({ name: "acme", type: "module", ...manifest });
  const ask = (folder: string, ...more: readonly string[]) =>
    bench.run(["plugin", "test", folder, "--only", "codec.deterministic", "--json", ...more]);

  it("finds the module and the options that its package.json names", async () => {
    const exported = { exports: { ".": { types: "./no.d.ts", default: "./lib/plugin.js" } } };
    await bench.write({
      "one/package.json": pack({ ...exported, keepsake: { conformance: "./options.js" } }),
      "one/lib/plugin.js": PLUGIN,
      "one/options.js": "export const conformance = { plain: { deterministic: true } };\n",
      "two/package.json": pack({ main: "plugin.js" }),
      "two/plugin.js": PLUGIN,
    });
    const one = await ask("one");
    expect(one.json()).toMatchObject({
      file: bench.path("one/lib/plugin.js"),
      suites: [{ kind: "codec", inverse: 0 }],
    });
    // Without the options of the package nothing says that it is deterministic.
    expect((await ask("./two")).json()).toMatchObject({ suites: [{ kind: "codec", inverse: 1 }] });
    await bench.write({ "given.mjs": "export default {};\n" });
    expect((await ask("one", "--options", "given.mjs")).json()).toMatchObject({ suites: [{ inverse: 1 }] });
  });

  it("says what is wrong with one that cannot be tested", async () => {
    await bench.write({
      "bare/note.md": "no package",
      "broken/package.json": "{",
      "unbuilt/package.json": pack({ main: "plugin.js", keepsake: { conformance: "./dist/options.js" } }),
      "unbuilt/plugin.js": PLUGIN,
      "closed/package.json": pack({ exports: { "./other": "./plugin.js" } }),
    });
    for (const [folder, code] of [
      ["bare", "E_PLUGIN_LOAD"],
      ["broken", "E_CONFIG"],
      ["unbuilt", "E_CONFIG"],
      ["closed", "E_PLUGIN_LOAD"],
    ] as const) {
      expect([folder, (await ask(folder)).error().code]).toEqual([folder, code]);
    }
    const none = await bench.run(["plugin", "test", "one", "--only", "codec.nothing", "--json"]);
    expect([none.code, none.error().code]).toEqual([2, "E_USAGE"]);
  });
});

async function fresh(name: string): Promise<string> {
  await mkdir(bench.path(name));
  return bench.path(name);
}
