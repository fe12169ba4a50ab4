/** What CI does for each runtime: runs the tests, counts them, and names what failed. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./lib.mjs";

/**
 * Runs the tests of a checkout with the Node that is found first in the PATH of `env`.
 *
 * @param name of the runtime, for the reader
 * @returns how many passed, and a line for each failure: a test, a file that did not load, an error that no test caught
 */
export function runTests(name, { directory, env, args = [] }) {
  const place = mkdtempSync(join(tmpdir(), "keepsake-ci-"));
  const report = join(place, "report.json");
  const started = Date.now();
  try {
    const reporters = ["--reporter=default", `--reporter=${join(directory, "scripts/ci-reporter.mjs")}`];
    const status = run("npm", ["test", "--silent", "--", ...reporters, ...args], {
      cwd: directory,
      env: { ...env, KEEPSAKE_TEST_REPORT: report, KEEPSAKE_REQUIRE_TOOLS: "1" },
    });
    const { passed, failures } = JSON.parse(readFileSync(report, "utf8"));
    if (failures.length === 0 && status !== 0) failures.push(`the tests ended with ${status}`);
    if (passed === 0) failures.push("no test passed");
    return { name, passed, failures, seconds: secondsSince(started) };
  } catch (error) {
    return {
      name,
      passed: 0,
      failures: [`the tests left no report: ${error.message}`],
      seconds: secondsSince(started),
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function secondsSince(started) {
  return Math.round((Date.now() - started) / 1000);
}
