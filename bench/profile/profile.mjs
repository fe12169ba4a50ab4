/**
 * `npm run bench -- --profile first`: one operation of Keepsake under V8's profiler. A .cpuprofile of each process and worker stays
 * in the working directory; Chrome's developer tools and VS Code open them.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { runMeasured } from "../measure/run-measured.mjs";
import { KeepsakeRepository } from "../peers/keepsake.mjs";
import { megabytes, seconds } from "../report/units.mjs";
import { Workspace } from "../workspace.mjs";
import { readProfile } from "./packages.mjs";

const PRELOAD = new URL("./preload.mjs", import.meta.url).href;
const FUNCTIONS = 20;

/** What is done before, and what is looked at. */
const PROFILED = {
  first: { before: 0, command: (repository, { memory }) => repository.snapshot(memory) },
  next: { before: 1, change: true, command: (repository, { memory }) => repository.snapshot(memory) },
  unchanged: { before: 1, command: (repository, { memory }) => repository.snapshot(memory) },
  verify: { before: 1, command: (repository) => repository.verify() },
  restore: { before: 1, command: (repository, workspace) => repository.restore(workspace.freshPath("target")) },
};

export async function profile(
  { profile: operation, parts: [{ size }], encrypted, redacted, dir },
  { print, say, signal },
) {
  const profiled = PROFILED[operation];
  if (profiled === undefined) throw new Error(`What is profiled is one of ${Object.keys(PROFILED).join(", ")}.`);
  const workspace = new Workspace(size, dir);
  try {
    say(`making the ${size} memory in ${workspace.dir}`);
    const memory = workspace.make();
    const how = { scratch: workspace.scratch, signal };
    // Each run has a store of its own: a second first snapshot would be none.
    const prepared = async (name) => {
      const repository = new KeepsakeRepository(join(workspace.dir, name), { encrypted, redacted });
      repository.prepare();
      for (let count = 0; count < profiled.before; count++)
        await runMeasured(repository.snapshot(workspace.memory), how);
      if (profiled.change) workspace.change();
      return profiled.command(repository, workspace);
    };
    const profiles = join(workspace.dir, "profiles");
    mkdirSync(profiles);
    const plain = await runMeasured(await prepared("plain"), how);
    const seen = await runMeasured(underProfiler(await prepared("profiled"), profiles), how);

    print(
      `${operation}${encrypted ? ", encrypted" : ""}, ${size}: ${megabytes(memory.bytes)} MB in ${memory.files} files`,
    );
    print(
      `${seconds(plain.measures.wallMs)} s, ${seconds(plain.measures.cpuMs)} s of processors; with the profiler ${seconds(seen.measures.wallMs)} s`,
    );
    printPhases(plain.stdout, print);
    for (const file of readdirSync(profiles).sort()) printProfile(join(profiles, file), `${operation}-${size}`, print);
  } finally {
    workspace[Symbol.dispose]();
  }
}

function underProfiler(command, profiles) {
  return { ...command, env: { NODE_OPTIONS: `--import=${PRELOAD}`, KEEPSAKE_BENCH_PROFILES: profiles } };
}

/** What the snapshot says itself of its phases, in milliseconds. */
function printPhases(stdout, print) {
  const phases = phasesOf(stdout);
  if (phases === undefined) return;
  print("\nphases, as the record has them (they overlap where work is done at once)");
  for (const [name, ms] of Object.entries(phases)) print(`  ${name.padEnd(20)}${ms.toFixed(0).padStart(8)} ms`);
}

function phasesOf(stdout) {
  try {
    const { phases_ms: phases } = JSON.parse(stdout);
    return phases;
  } catch {
    // Not every operation prints a record.
    return undefined;
  }
}

function printProfile(file, name, print) {
  const { totalMs, packages, functions } = readProfile(JSON.parse(readFileSync(file, "utf8")));
  const copy = resolve(`${name}-${basename(file)}`);
  copyFileSync(file, copy);
  const share = (ms) => `${ms.toFixed(0).padStart(8)} ms ${((100 * ms) / totalMs).toFixed(1).padStart(5)} %`;
  print(`\n${relative(process.cwd(), copy)}: ${totalMs.toFixed(0)} ms`);
  for (const [title, ms] of packages.filter(([, ms]) => ms >= totalMs / 200))
    print(`  ${title.padEnd(30)}${share(ms)}`);
  print("  the functions that took longest themselves");
  for (const [title, ms] of functions.slice(0, FUNCTIONS)) print(`  ${share(ms)}  ${title}`);
}
