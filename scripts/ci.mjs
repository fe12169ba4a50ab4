/**
 * The stages of CI: the tests, then the checks. Every stage runs, also after a failure. The last line is
 * `N passed, N failed`: test cases, and one for each check.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChecks } from "./checks.mjs";
import { run } from "./lib.mjs";

/** Counts the test cases; what broke outside of a case (a file that did not load, a stray rejection) is one failure. */
function countTests(report, status) {
  const { numPassedTests: passed, numFailedTests, testResults } = report;
  const brokenFiles = testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = numFailedTests + brokenFiles;
  return { passed, failed: failed === 0 && status !== 0 ? 1 : failed };
}

function runTests() {
  const directory = mkdtempSync(join(tmpdir(), "keepsake-ci-"));
  const file = join(directory, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const status = run("npm", ["test", "--silent", "--", ...reporters], {
      env: { ...process.env, SLOW: "1", KEEPSAKE_REQUIRE_TOOLS: "1" },
    });
    return countTests(JSON.parse(readFileSync(file, "utf8")), status);
  } catch (error) {
    process.stderr.write(`the tests left no report: ${error.message}\n`);
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const tests = runTests();
const checks = runChecks();

process.stdout.write("\n");
for (const { name, passed } of checks) process.stdout.write(`${passed ? "ok    " : "FAILED"} ${name}\n`);
if (tests.passed === 0) process.stdout.write("FAILED no test passed\n");

const passed = tests.passed + checks.filter((check) => check.passed).length;
const failed = tests.failed + checks.filter((check) => !check.passed).length;
process.exitCode = failed > 0 || tests.passed === 0 ? 1 : 0;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
