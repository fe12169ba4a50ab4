/**
 * `npm run snippets`: what the documentation shows is true. In README.md and the texts of docs/ and examples/,
 *
 *   ```js, mjs, ts         is type-checked against the built packages
 *   ```js run              is compiled, and run in an empty folder
 *   ```sh run              is run; all of one text in one shell, in one folder. `in=checkout` begins in the checkout
 *   ```yaml config         is checked by `keepsake config check`
 *   ```json                is parsed
 *
 * (`with=<file>` puts a file of the checkout beside code or configuration);
 * every relative link leads somewhere, and docs/configuration.md has the keys that there are. Each problem is told as `file:line`.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { root } from "./lib.mjs";
import { blocksOf, linkProblems } from "./snippets/markdown.mjs";
import { checkCode } from "./snippets/code.mjs";
import { checkConfigKeys } from "./snippets/config-keys.mjs";
import { checkConfig, runShell } from "./snippets/programs.mjs";

function documents() {
  const examples = readdirSync(join(root, "examples")).map((name) => join("examples", name, "README.md"));
  const docs = readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name));
  return ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...docs, ...examples].filter((file) =>
    existsSync(join(root, file)),
  );
}

function checkJson(block) {
  try {
    JSON.parse(block.text);
    return [];
  } catch (error) {
    return [{ ...block, message: error.message }];
  }
}

const temporary = realpathSync(mkdtempSync(join(tmpdir(), "keepsake-snippets-")));
const problems = [];
const counts = { compiled: 0, run: 0, configs: 0 };
try {
  const files = process.argv.length > 2 ? process.argv.slice(2).map((file) => relative(root, file)) : documents();
  const code = [];
  for (const file of files) {
    const text = readFileSync(join(root, file), "utf8");
    const blocks = blocksOf(text).map((block) => ({ ...block, file }));
    problems.push(...linkProblems(text, file));
    for (const block of blocks) {
      if (["js", "mjs", "ts"].includes(block.language)) code.push(block);
      if (block.language === "json") problems.push(...checkJson(block));
      if (block.language === "yaml" && block.flags.has("config")) {
        counts.configs += 1;
        problems.push(...checkConfig(block, temporary));
      }
    }
    const shell = blocks.filter((block) => block.language === "sh" && block.flags.has("run"));
    counts.run += shell.length;
    if (shell.length > 0) problems.push(...(await runShell(shell, temporary)));
  }
  if (files.includes("docs/configuration.md")) problems.push(...checkConfigKeys(temporary));
  counts.compiled = code.length;
  counts.run += code.filter((block) => block.flags.has("run")).length;
  problems.push(...(await checkCode(code, temporary)));
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

for (const { file, line, message } of problems) process.stderr.write(`${file}:${line}: ${message}\n`);
const { compiled, run, configs } = counts;
process.stdout.write(
  `snippets: ${compiled} compiled, ${run} run, ${configs} configurations, ${problems.length} problems\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
