import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { PLUGIN_API } from "@keepsake/core";
import { tempDir, type TempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { loadConfig, type LoadedConfig } from "../src/config/load-config.js";
import { loadPlugin } from "../src/plugins/load-plugin.js";
import { resolvePackage } from "../src/plugins/resolve-package.js";
import { failure } from "./failure.js";
import { fakePlugin } from "./fake-parts.js";

async function write(dir: TempDir, files: Readonly<Record<string, string | object>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(dir.join(name)), { recursive: true });
    await writeFile(dir.join(name), typeof content === "string" ? content : JSON.stringify(content));
  }
}

const load = (entry: string, dir: TempDir, timeoutMs = 10_000) => loadPlugin(entry, { baseDir: dir.path, timeoutMs });
const esm = (name: string, more = ""): string => `export default { name: "${name}", api: 1${more} };`;
const cjs = (name: string): string => `module.exports = { name: "${name}", api: 1 };`;

describe("a plugin named by its package", () => {
  /** package.json, files, and the name the plugin then has */
  const PACKAGES: readonly (readonly [string, object, Record<string, string>, string])[] = [
    ["with only an import condition", { type: "module", exports: { import: "./m.js" } }, { "m.js": esm("m") }, "m"],
    [
      "with types before import",
      { type: "module", exports: { ".": { types: "./m.d.ts", import: "./m.js" } } },
      { "m.js": esm("m") },
      "m",
    ],
    [
      "with nested conditions",
      { type: "module", exports: { ".": { browser: "./b.js", node: { import: "./m.js" } } } },
      { "m.js": esm("m") },
      "m",
    ],
    ["with a string", { type: "module", exports: "./m.js" }, { "m.js": esm("m") }, "m"],
    ["with alternatives", { exports: [{ deno: "./no.js" }, "./m.mjs"] }, { "m.mjs": esm("m") }, "m"],
    [
      "dual, where import wins",
      { exports: { require: "./c.cjs", import: "./m.mjs" } },
      { "m.mjs": esm("m"), "c.cjs": cjs("c") },
      "m",
    ],
    ["in CommonJS", { main: "./lib/c.js" }, { "lib/c.js": cjs("c") }, "c"],
    [
      "compiled to CommonJS",
      { main: "c.js" },
      { "c.js": "exports.__esModule = true; exports.default = { name: 'c', api: 1 };" },
      "c",
    ],
    ["with index.js alone", {}, { "index.js": cjs("c") }, "c"],
  ];
  for (const [name, manifest, files, expected] of PACKAGES) {
    it(`is found ${name}`, async () => {
      await using dir = await tempDir();
      const inPackage = Object.fromEntries(
        Object.entries(files).map(([file, text]) => [`node_modules/@acme/kit/${file}`, text]),
      );
      await write(dir, {
        ...inPackage,
        "node_modules/@acme/kit/package.json": { name: "@acme/kit", version: "1.2.3", ...manifest },
      });
      const { plugin, version, origin } = await load("@acme/kit", dir);
      expect(plugin.name).toBe(expected);
      expect(version).toBe("1.2.3");
      expect(origin.startsWith(dir.join("node_modules/@acme/kit"))).toBe(true);
    });
  }

  it("is not found by require where it exports for import alone", async () => {
    await using dir = await tempDir();
    await write(dir, {
      "node_modules/kit/package.json": { exports: { import: "./m.mjs" } },
      "node_modules/kit/m.mjs": esm("m"),
    });
    const { createRequire } = await import("node:module");
    expect(() => createRequire(dir.join("x.js")).resolve("kit")).toThrow(/exports/);
    expect((await load("kit", dir)).plugin.name).toBe("m");
  });

  it("is found by a subpath, in folders above, and through a link with its own dependencies", async () => {
    await using dir = await tempDir();
    await write(dir, {
      "node_modules/kit/package.json": {
        type: "module",
        exports: { "./plugins/*": "./lib/*.js", "./plugins/internal/*": null },
      },
      "node_modules/kit/lib/one.js": esm("one"),
      "store/linked/package.json": { type: "module", exports: "./m.js" },
      "store/linked/m.js": 'import name from "dep"; export default { name, api: 1 };',
      "store/linked/node_modules/dep/package.json": { type: "module", exports: "./d.js" },
      "store/linked/node_modules/dep/d.js": 'export default "from-dep";',
      "deep/er/config.yaml": "",
    });
    await symlink(dir.join("store/linked"), dir.join("node_modules/linked"));
    const baseDir = dir.join("deep/er");
    expect((await loadPlugin("kit/plugins/one", { baseDir, timeoutMs: 5000 })).plugin.name).toBe("one");
    expect((await loadPlugin("linked", { baseDir, timeoutMs: 5000 })).plugin.name).toBe("from-dep");
    await expect(resolvePackage("kit/plugins/internal/x", baseDir)).rejects.toThrow();
    await expect(resolvePackage("kit", baseDir)).rejects.toThrow(/does not export/);
  });

  it("agrees with Node's own resolution", async () => {
    for (const name of ["zod", "yaml", "tsyringe", "reflect-metadata", "@keepsake/core"]) {
      const { file } = await resolvePackage(name, import.meta.dirname);
      const { fileURLToPath } = await import("node:url");
      // Vitest gives import.meta.resolve no meaning: another Node says it.
      const { execFileSync } = await import("node:child_process");
      const script = `process.stdout.write(import.meta.resolve(${JSON.stringify(name)}))`;
      const url = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
        cwd: import.meta.dirname,
        encoding: "utf8",
      });
      expect(file, name).toBe(fileURLToPath(url));
    }
  });

  it("that is not there is told with the folder it was looked for from", async () => {
    await using dir = await tempDir();
    const error = await failure(load("keepsake-plugin-of-nobody", dir));
    expect([error.code, error.context]).toEqual([
      "E_PLUGIN_LOAD",
      { plugin: "keepsake-plugin-of-nobody", from: dir.path },
    ]);
    expect(error.cause).toBeInstanceOf(Error);
  });
});

describe("a plugin named by its file", () => {
  it("is found beside the configuration", async () => {
    await using dir = await tempDir();
    await write(dir, {
      "local.mjs": esm("local", ', version: "0.1.0"'),
      "sub/k.yaml": "plugins: [../local.mjs]\npreset: directory\n",
    });
    const { registry } = await loadConfig({
      source: { file: dir.join("sub/k.yaml") },
      plugins: [fakePlugin()],
      cwd: "/",
      env: {},
      timeoutMs: 5000,
    });
    expect(registry.plugins.map(({ plugin, origin, version }) => [plugin.name, origin, version])).toEqual([
      ["fake", "program", "9.9.9"],
      ["local", dir.join("local.mjs"), "0.1.0"],
    ]);
  });

  const BAD: readonly (readonly [string, string, string, RegExp])[] = [
    ["has no default export", "export const plugin = {};", "E_PLUGIN_LOAD", /default export is missing/],
    ["exports a function", "export default () => ({});", "E_PLUGIN_LOAD", /no object/],
    ["has no name", "export default { api: 1 };", "E_PLUGIN_LOAD", /no name/],
    ["does not say its api", "export default { name: 'x' };", "E_PLUGIN_LOAD", /`api`/],
    [
      "has a provider of an unknown kind",
      "export default { name: 'x', api: 1, providers: [{ kind: 'soup' }] };",
      "E_PLUGIN_LOAD",
      /providers\[0\].*"soup"/,
    ],
    [
      "has a provider that makes nothing",
      "export default { name: 'x', api: 1, providers: [{ kind: 'codec', name: 'c' }] };",
      "E_PLUGIN_LOAD",
      /`create`/,
    ],
    [
      "has a schema that is none",
      "export default { name: 'x', api: 1, providers: [{ kind: 'codec', name: 'c', create() {}, options: {} }] };",
      "E_PLUGIN_LOAD",
      /Standard Schema/,
    ],
    [
      "has a malformed preset",
      "export default { name: 'x', api: 1, presets: { p: { description: '', sources: [{}] } } };",
      "E_PLUGIN_LOAD",
      /preset "p"/,
    ],
    ["throws when it is imported", "throw new RangeError('on purpose');", "E_PLUGIN_LOAD", /on purpose/],
    ["has a syntax error", "export default {", "E_PLUGIN_LOAD", /could not be imported/],
    [
      "imports what is not there",
      "import 'nothing-of-that-name'; export default {};",
      "E_PLUGIN_LOAD",
      /nothing-of-that-name/,
    ],
    [
      "is of a newer api",
      "export default { name: 'x', api: 7, anything: [] };",
      "E_PLUGIN_API",
      /API 7; this program has API 1/,
    ],
  ];
  for (const [name, text, code, message] of BAD) {
    it(`is refused when it ${name}`, async () => {
      await using dir = await tempDir();
      await write(dir, { "p.mjs": text });
      const error = await failure(load("./p.mjs", dir));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
    });
  }

  it.each([
    ["its own file", "./p.mjs", { file: "p.mjs", line: 3, column: 3 }],
    ["one that it imports", "./a.mjs", { file: "lib/b.js", line: 1, column: 12 }],
    ["a CommonJS file", "./c.cjs", { file: "c.cjs", line: 2, column: 3 }],
    ["what it takes from another", "./d.mjs", { file: "d.mjs", line: 2, column: 10 }],
  ])("tells where a syntax error in %s is", async (_name, entry, { file, line, column }) => {
    await using dir = await tempDir();
    await write(dir, {
      "package.json": '{ "type": "module" }',
      "p.mjs": "const options = {\n  one: 1\n  two: 2,\n};\nexport default options;\n",
      "a.mjs": "import value from './lib/c.js';\nexport default value;\n",
      "lib/c.js": "export { default } from '../lib/b.js';\n",
      "lib/b.js": "export let let = 5;\n",
      "c.cjs": "module.exports = { a: 1\n  b: 2 };\n",
      "d.mjs":
        "import { readFile } from 'node:fs';\nimport { nothing } from 'node:fs';\nexport default { readFile, nothing };\n",
    });
    const error = await failure(load(entry, dir));
    expect([error.code, error.context]).toEqual([
      "E_PLUGIN_LOAD",
      { plugin: entry, file: dir.join(file), line, column },
    ]);
    expect(error.message).toContain(`${dir.join(file)}:${String(line)}:${String(column)}: `);
    expect(error.cause).toBeInstanceOf(SyntaxError);
  });

  it("with a SyntaxError of its own is told as it is, and is not run again", async () => {
    await using dir = await tempDir();
    const log = dir.join("log");
    const text = `import { appendFileSync } from "node:fs";\nappendFileSync(${JSON.stringify(log)}, "run ");\nJSON.parse("{");\n`;
    await write(dir, { "p.mjs": text });
    const error = await failure(load("./p.mjs", dir));
    expect([error.code, error.context]).toEqual(["E_PLUGIN_LOAD", { plugin: "./p.mjs", file: dir.join("p.mjs") }]);
    expect(await readFile(log, "utf8")).toBe("run ");
  });

  it("keeps the error of its import, and both api numbers", async () => {
    await using dir = await tempDir();
    await write(dir, {
      "p.mjs": "throw new RangeError('on purpose');",
      "q.mjs": "export default { name: 'q', api: 0 };",
    });
    expect((await failure(load("./p.mjs", dir))).cause).toBeInstanceOf(RangeError);
    expect((await failure(load("./q.mjs", dir))).context).toEqual({ plugin: "q", found: 0, supported: PLUGIN_API });
    expect((await failure(load("./absent.mjs", dir))).code).toBe("E_PLUGIN_LOAD");
  });

  it("is named when its import does not end", async () => {
    await using dir = await tempDir();
    await write(dir, { "p.mjs": "await new Promise(() => setInterval(() => {}, 1e6).unref());" });
    const error = await failure(load("./p.mjs", dir, 50));
    expect([error.code, error.context["plugin"]]).toEqual(["E_PLUGIN_TIMEOUT", "./p.mjs"]);
  });
});

describe("a plugin twice", () => {
  it("is refused with where both are from", async () => {
    await using dir = await tempDir();
    await write(dir, { "p.mjs": esm("fake") });
    const loading = (): Promise<LoadedConfig> =>
      loadConfig({
        source: { plugins: ["./p.mjs"] },
        plugins: [fakePlugin()],
        cwd: dir.path,
        env: {},
        timeoutMs: 5000,
      });
    const error = await failure(loading());
    expect([error.code, error.context]).toEqual([
      "E_PLUGIN_DUPLICATE",
      { first: "program", second: dir.join("p.mjs") },
    ]);
  });
});

describe("mistakes of the configuration and of a plugin", () => {
  it("together are told as the configuration's, with the plugin's as the cause", async () => {
    const error = await failure(
      loadConfig({
        source: { plugins: ["nobody-has-this"], cut: { attempts: 0 } },
        plugins: [fakePlugin()],
        cwd: "/",
        env: {},
        timeoutMs: 5000,
      }),
    );
    expect(error.code).toBe("E_CONFIG");
    expect(error.cause).toMatchObject({ code: "E_PLUGIN_LOAD" });
  });

  it("are told all at once, but for names that the missing plugin may provide", async () => {
    await using dir = await tempDir();
    await write(dir, {
      "keepsake.config.yaml": [
        "version: 1",
        "plugins: [./none.mjs, ./broken.mjs]",
        "stores: { primary: { use: local-fs, root: r, rooot: x } }",
        "sources: [{ use: sqlite, id: a }, { use: sqlite, id: a }, { use: the-missing-one }]",
      ].join("\n"),
      "broken.mjs": "throw new Error('no');",
    });
    const file = dir.join("keepsake.config.yaml");
    const error = await failure(
      loadConfig({ source: { file }, plugins: [fakePlugin()], cwd: dir.path, env: {}, timeoutMs: 5000 }),
    );
    expect(error.code).toBe("E_CONFIG");
    const problems = error.context["problems"] as readonly { readonly path: string; readonly line?: number }[];
    expect(problems.map(({ path }) => path)).toEqual([
      "plugins[0]",
      "plugins[1]",
      "stores.primary.rooot",
      "sources[1]",
    ]);
    expect(problems[0]).toMatchObject({ file, line: 2 });
  });

  it("a plugin that is the only mistake is told by its own code, with its place in the file", async () => {
    await using dir = await tempDir();
    await write(dir, { "keepsake.config.yaml": "version: 1\nplugins:\n  - ./none.mjs\n" });
    const file = dir.join("keepsake.config.yaml");
    const error = await failure(
      loadConfig({ source: { file }, plugins: [fakePlugin()], cwd: dir.path, env: {}, timeoutMs: 5000 }),
    );
    expect(error).toMatchObject({
      code: "E_PLUGIN_LOAD",
      context: { plugin: "./none.mjs", file: dir.join("none.mjs"), config: file, path: "plugins[0]", line: 3 },
    });
    expect(error.message).not.toContain("load-plugin");
  });
});
