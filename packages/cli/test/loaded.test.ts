import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { BIN, Bench } from "./support/keepsake.js";
import { makeMemory } from "./support/memory.js";

const bench = new Bench();

/** Notes the address of each module that is imported; for modules that are required, that of the first. */
const HOOKS = `
import { appendFileSync } from "node:fs";
export async function load(url, context, next) {
  appendFileSync(process.env.LOADED, url + "\\n");
  return next(url, context);
}`;

/** The modules that a command line loads, in a process of its own. */
async function loadedBy(...args: string[]): Promise<readonly string[]> {
  const [hooks, register, loaded] = ["hooks.mjs", "register.mjs", "loaded.txt"].map((name) => bench.path(name));
  await writeFile(hooks ?? "", HOOKS);
  await writeFile(
    register ?? "",
    'import { register } from "node:module";\nregister("./hooks.mjs", import.meta.url);\n',
  );
  await writeFile(loaded ?? "", "");
  const env = { ...process.env, LOADED: loaded ?? "" };
  await promisify(execFile)(process.execPath, ["--import", register ?? "", BIN, ...args], {
    cwd: bench.dir,
    env,
  }).catch((error: unknown) => {
    // A mistake in the command line is among what is looked at.
    if ((error as { readonly code?: unknown }).code !== 2) throw error;
  });
  return (await readFile(loaded ?? "", "utf8")).trim().split("\n");
}

const packagesOf = (urls: readonly string[]): Set<string | undefined> =>
  new Set(urls.map((url) => /.*\/(?:node_modules|packages)\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]));

describe("what a command loads", () => {
  it.each([[["--version"]], [["list", "--nonsense"]]])("no schema library for %s", async (args) => {
    const packages = packagesOf(await loadedBy(...args));
    expect(packages).toContain("commander");
    expect(packages).not.toContain("zod");
  });

  it("neither YAML nor what only sources, and plugins that are not there, need for a list", async () => {
    await makeMemory(bench, "ana");
    await bench.write({ "k.json": JSON.stringify({ version: 1, state_root: "./state" }) });
    expect((await bench.run(["--config", "k.json", "snapshot", "--agent", "ana", "--memory", "ana"])).code).toBe(0);
    const urls = await loadedBy("--config", "k.json", "list", "--agent", "ana");
    expect(packagesOf(urls)).toContain("zod");
    expect(packagesOf(urls)).not.toContain("picomatch");
    expect(urls.filter((url) => /\/(?:syntax-place|resolve-package|describe-plugins)\.js$/.test(url))).toEqual([]);
  });
});
