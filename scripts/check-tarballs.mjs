/**
 * `npm run tarballs`: every public package, packed as it would be published, is one that npm's tools and TypeScript
 * understand: publint looks at package.json and files, are-the-types-wrong resolves the types as each kind of consumer does.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { packAll } from "./pack.mjs";

/** Only ESM is promised: what TypeScript sees for `require`, or saw before it knew `exports`, is left out. */
const NOT_PROMISED = new Set(["node10", "node16-cjs"]);

async function publintProblems(bytes) {
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function typeProblems(bytes) {
  const { types, problems = [] } = await checkPackage(createPackageFromTarballData(bytes));
  const wrong = problems.filter(({ resolutionKind }) => !NOT_PROMISED.has(resolutionKind));
  return [
    ...(types === false ? ["are-the-types-wrong: it has no types"] : []),
    ...wrong.map((problem) => `are-the-types-wrong: ${JSON.stringify(problem)}`),
  ];
}

const folder = mkdtempSync(join(tmpdir(), "keepsake-tarballs-"));
const problems = [];
let checked = 0;
try {
  for (const tarball of packAll(folder)) {
    const bytes = new Uint8Array(readFileSync(tarball));
    const found = [...(await publintProblems(bytes)), ...(await typeProblems(bytes))];
    problems.push(...found.map((problem) => `${basename(tarball)}: ${problem}`));
    checked += 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`tarballs: ${checked} packed, ${problems.length} problems\n`);
process.exitCode = problems.length === 0 && checked > 0 ? 0 : 1;
