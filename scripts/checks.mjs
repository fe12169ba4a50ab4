/** The checks beside the tests, each an npm script of the root: one list for `npm run check` and for CI. */
import { run } from "./lib.mjs";

export const CHECKS = ["typecheck", "lint", "layers", "unused", "format:check", "snippets", "tarballs", "bench:counts"];

/** Runs every check, also after a failure, and tells which passed. */
export function runChecks() {
  return CHECKS.map((name) => {
    process.stdout.write(`\n── ${name}\n`);
    return { name, passed: run("npm", ["run", "--silent", name]) === 0 };
  });
}
