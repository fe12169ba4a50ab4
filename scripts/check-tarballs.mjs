/**
 * `npm run tarballs`: every public package, packed as it would be published, is one that npm's tools and TypeScript
 * understand: publint looks at package.json and files, are-the-types-wrong resolves the types as each kind of consumer does.
 * Only ESM is promised, so what `require` of an old TypeScript would see is left out.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packAll } from "./pack.mjs";
import { root } from "./lib.mjs";

/** The processors of a small CI machine; each run of are-the-types-wrong keeps one busy for two seconds. */
const LANES = 2;

async function publintProblems(tarball) {
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer }, strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

function typeProblems(tarball) {
  const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const args = [attw, tarball, "--profile", "esm-only", "--format", "ascii", "--no-emoji", "--no-color"];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: root, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve(error ? [`are-the-types-wrong: ${stdout}${stderr}`.trim()] : []);
    });
  });
}

const folder = mkdtempSync(join(tmpdir(), "keepsake-tarballs-"));
const problems = [];
let checked = 0;
try {
  const waiting = packAll(folder);
  const lane = async () => {
    for (let tarball = waiting.shift(); tarball !== undefined; tarball = waiting.shift()) {
      const found = [...(await publintProblems(tarball)), ...(await typeProblems(tarball))];
      problems.push(...found.map((problem) => `${basename(tarball)}: ${problem}`));
      checked += 1;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`tarballs: ${checked} packed, ${problems.length} problems\n`);
process.exitCode = problems.length === 0 && checked > 0 ? 0 : 1;
