/**
 * Makes a checkout ready to run with nothing but Node and npm: installs what the lockfile names when that is not
 * installed yet, then compiles what changed. `--install-only` skips the compilation.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { packageDirectories, root, run } from "./lib.mjs";

const PNPM = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager;
const STAMP = join(root, "node_modules", ".keepsake-install.json");

/** What decides whether an install is up to date. Native modules depend on Node's ABI. */
function wantedInstall() {
  const hash = createHash("sha256");
  const manifests = packageDirectories().map((directory) => join(directory, "package.json"));
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...manifests]) {
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)))
      .update("\0");
  }
  return { inputs: hash.digest("hex"), abi: process.versions.modules };
}

function presentInstall() {
  if (!existsSync(STAMP) || packageDirectories().some((directory) => lacksDependencies(directory))) return undefined;
  return JSON.parse(readFileSync(STAMP, "utf8"));
}

function lacksDependencies(directory) {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, directory, "package.json"), "utf8"));
  const hasSome = Object.keys({ ...dependencies, ...devDependencies }).length > 0;
  return hasSome && !existsSync(join(root, directory, "node_modules"));
}

function pnpm(...args) {
  // CI=true: pnpm must never ask on a terminal whether it may replace node_modules.
  const status = run("npx", ["--yes", PNPM, ...args], { env: { ...process.env, CI: "true" } });
  if (status !== 0) fail(`${PNPM} ${args.join(" ")} failed`, status);
}

function install() {
  const wanted = wantedInstall();
  const present = presentInstall();
  if (present?.inputs === wanted.inputs && present.abi === wanted.abi) return;
  note(`installing with ${PNPM} (the first time compiles SQLite: a minute or two)`);
  rmSync(STAMP, { force: true });
  // An edited package.json needs a new lockfile first: `npx pnpm@<version> install --no-frozen-lockfile`.
  pnpm("install", "--frozen-lockfile", "--reporter=append-only", "--loglevel=warn");
  // Also when nothing was installed before: pnpm keeps what it once compiled, by the number of the Node alone, and that may
  // have been done with the headers of another.
  if (!nativeModulesLoad()) pnpm("rebuild", "--recursive");
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(STAMP, JSON.stringify(wanted));
}

/** In a process of its own: what was loaded once cannot be replaced. */
function nativeModulesLoad() {
  const program = `new (require("better-sqlite3"))(":memory:").close()`;
  return spawnSync(process.execPath, ["-e", program], { cwd: join(root, "packages/sqlite") }).status === 0;
}

/** `tsc -b` leaves the output of a deleted source behind, and a test would go on passing with it. */
function dropOrphans() {
  for (const directory of packageDirectories()) {
    const dist = join(root, directory, "dist");
    if (!existsSync(dist)) continue;
    for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
      const output = join(entry.parentPath, entry.name);
      const stem = relative(dist, output).replace(/\.(js|d\.ts)(\.map)?$/, "");
      if (!entry.isFile() || !/\.(js|d\.ts)(\.map)?$/.test(entry.name)) continue;
      if (!existsSync(join(root, directory, "src", `${stem}.ts`))) rmSync(output);
    }
  }
}

function compile() {
  dropOrphans();
  const started = Date.now();
  const status = run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b"]);
  if (status !== 0) fail("the build failed", status);
  const seconds = (Date.now() - started) / 1000;
  if (seconds > 3) note(`built in ${seconds.toFixed(0)} s`);
}

function note(text) {
  process.stderr.write(`bootstrap: ${text}\n`);
}

function fail(text, status) {
  note(text);
  process.exit(status || 1);
}

install();
if (!process.argv.includes("--install-only")) compile();
