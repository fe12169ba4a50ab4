/** `npm run bench -- [options]`: Keepsake measured beside what people would use instead. docs/benchmarks.md tells how to read it. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Bench } from "./operations/bench.mjs";
import { OPERATIONS } from "./operations/operations.mjs";
import { readOptions, USAGE } from "./options.mjs";
import { bucketOf, contenders } from "./peers/contenders.mjs";
import { profile } from "./profile/profile.mjs";
import { charted, chartOf } from "./report/chart.mjs";
import { joinBySize } from "./report/join.mjs";
import { markdownOf, replaceBetweenMarks } from "./report/markdown.mjs";
import { summarise } from "./report/summary.mjs";
import { printReport } from "./report/table.mjs";
import { Workspace } from "./workspace.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TITLES = new Map(OPERATIONS.map(({ id, title }) => [id, title]));
const print = (line) => process.stdout.write(`${line}\n`);
const say = (line) => process.stderr.write(`${line}\n`);

function machine() {
  const gibibytes = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} cores (${cpus()[0].model.trim()}), ${gibibytes} GiB, Linux ${release().split("-")[0]}, Node ${process.versions.node}`;
}

/** @param options of all parts, and of this one */
async function measure(options, { present }, signal) {
  const { size } = options;
  const workspace = new Workspace(size, options.dir);
  const isRemote = present.some(({ remote }) => remote);
  try {
    say(`making the ${size} memory in ${workspace.dir}`);
    const memory = workspace.make();
    const bench = new Bench({ workspace, contenders: present, say, signal, ...options });
    const failure = await runAll(options.operations, bench);
    return {
      ...(failure !== undefined && { failure }),
      size: isRemote ? `${size}, S3` : size,
      memory,
      ...{ date: new Date().toISOString().slice(0, 10), machine: machine(), runs: options.runs },
      command: commandOf(options, isRemote),
      commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: ROOT, encoding: "utf8" }).trim(),
      versions: Object.fromEntries(
        present.filter(({ kind }) => kind !== "limit").map(({ name, version }) => [name, version]),
      ),
      operations: summarise(bench.results),
      stored: Object.fromEntries(bench.stored),
      samples: Object.fromEntries([...bench.results].map(([id, byName]) => [id, Object.fromEntries(byName)])),
    };
  } finally {
    workspace[Symbol.dispose]();
  }
}

/** What measures the same again; where its report went is nobody's business. */
function commandOf({ size, runs, only, peers, redacted, snapshots }, isRemote) {
  const chosen = [
    `--size ${size}`,
    `--runs ${runs}`,
    only && `--only ${only}`,
    !peers && "--no-peers",
    redacted && "--redacted",
  ];
  const full = snapshots === 1_000 ? undefined : `--snapshots ${snapshots}`;
  const server = isRemote && "node scripts/s3-server.mjs";
  return [server, "npm run bench --", ...chosen, full].filter(Boolean).join(" ");
}

/** What was measured before something failed, or the run was broken off, is reported all the same. @returns what failed */
async function runAll(operations, bench) {
  try {
    for (const operation of operations) await operation.run(bench);
    return undefined;
  } catch (error) {
    say(`bench: ${error.message}`);
    process.exitCode = 1;
    return error.message;
  }
}

async function reportsOf(options, signal) {
  if (options.from !== undefined) {
    return joinBySize(options.from.split(",").flatMap((file) => JSON.parse(readFileSync(file, "utf8")).reports));
  }
  const bucket = bucketOf(process.env);
  const reports = [];
  for (const part of options.parts) {
    if (signal.aborted) break;
    // Only a part of the whole table says whether the bucket takes part.
    const s3 = options.table && part.remote !== true ? undefined : bucket;
    if (part.remote === true && s3 === undefined) {
      say("there is no bucket: what is measured with one is left out");
      continue;
    }
    const who = contenders({ ...options, s3 });
    if (who.missing.length > 0) say(`not installed, and left out: ${who.missing.join(", ")}`);
    reports.push(await measure({ ...options, ...part }, who, signal));
  }
  return joinBySize(reports);
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return print(USAGE);
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) {
    process.on(name, () => {
      // npm passes on what the terminal has sent already: the second one must not leave the folder behind either.
      if (abort.signal.aborted) process.exit(130);
      abort.abort(new Error(`ended by ${name}`));
    });
  }
  if (options.profile !== undefined) return profile(options, { print, say, signal: abort.signal });

  const reports = await reportsOf(options, abort.signal);
  for (const report of reports) printReport(report, TITLES, print);
  if (options.json !== undefined) writeFileSync(resolve(options.json), `${JSON.stringify({ reports }, null, 2)}\n`);
  if (options.readme) {
    if (reports.some(({ failure }) => failure !== undefined))
      throw new Error("The README is left as it is: not all was measured.");
    replaceBetweenMarks(join(ROOT, "README.md"), markdownOf(reports, TITLES));
    writeFileSync(join(ROOT, "docs/benchmarks.svg"), chartOf(charted(reports), TITLES));
  }
}

try {
  await main();
} catch (error) {
  say(`bench: ${error.message}`);
  process.exitCode = 1;
}
