/**
 * `npm run bench:counts` counts what Keepsake asks of the system for the small memory, and fails when one of the counts has doubled
 * since bench/counts.json was written. `-- --update` writes it. Needs strace.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compareCounts, rounded } from "./counts/compare.mjs";
import { countCalls } from "./counts/count-calls.mjs";
import { KeepsakeRepository } from "./peers/keepsake.mjs";
import { versionOf } from "./peers/programs.mjs";
import { Workspace } from "./workspace.mjs";

const WRITTEN_DOWN = fileURLToPath(new URL("./counts.json", import.meta.url));

async function countAll() {
  const workspace = new Workspace("small");
  try {
    workspace.make();
    const repository = new KeepsakeRepository(join(workspace.dir, "store"));
    repository.prepare();
    const count = async (command) =>
      rounded(await countCalls(command, { scratch: workspace.scratch, within: workspace.dir }));

    const first = await count(repository.snapshot(workspace.memory));
    const verify = await count(repository.verify());
    const restore = await count(repository.restore(workspace.freshPath("target")));
    workspace.change();
    const next = await count(repository.snapshot(workspace.memory));
    const unchanged = await count(repository.snapshot(workspace.memory));
    return { first, next, unchanged, verify, restore };
  } finally {
    workspace[Symbol.dispose]();
  }
}

async function main() {
  if (versionOf("strace", "--version") === undefined) throw new Error("strace is not installed: it counts the calls.");
  const seen = await countAll();
  console.table(seen);
  if (process.argv.includes("--update")) {
    writeFileSync(WRITTEN_DOWN, `${JSON.stringify(seen, null, 2)}\n`);
    return;
  }
  const { failures, gains } = compareCounts(JSON.parse(readFileSync(WRITTEN_DOWN, "utf8")), seen);
  for (const sentence of gains) console.log(`better: ${sentence} Write it down: npm run bench:counts -- --update`);
  for (const sentence of failures) console.error(`FAILED ${sentence}`);
  if (failures.length === 0) return;
  console.error("If it has to be so, say why in the commit, and write it down: npm run bench:counts -- --update");
  process.exitCode = 1;
}

// What is made is removed on the way out.
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => process.exit(130));

try {
  await main();
} catch (error) {
  console.error(`bench:counts: ${error.message}`);
  process.exitCode = 1;
}
