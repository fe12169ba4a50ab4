/**
 * The stages of CI: the tests, then the checks. Every stage runs, also after a failure. The last line is
 * `N passed, N failed`: test cases, and one for each check.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChecks } from "./checks.mjs";
import { run } from "./lib.mjs";
import { startS3Server } from "./s3-server.mjs";

/** Counts the test cases; what broke outside of a case (a file that did not load, a stray rejection) is one failure. */
function countTests(report, status) {
  const { numPassedTests: passed, numFailedTests, testResults } = report;
  const brokenFiles = testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = numFailedTests + brokenFiles;
  return { passed, failed: failed === 0 && status !== 0 ? 1 : failed };
}

/** Without it the tests that need it fail, and say so. */
async function s3Server() {
  try {
    return await startS3Server();
  } catch (error) {
    process.stderr.write(`no S3 server: ${error.message}\n`);
    return { env: {}, stop: async () => undefined };
  }
}

function runTests(s3Environment) {
  const directory = mkdtempSync(join(tmpdir(), "keepsake-ci-"));
  const file = join(directory, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const status = run("npm", ["test", "--silent", "--", ...reporters], {
      env: { ...process.env, ...s3Environment, SLOW: "1", KEEPSAKE_REQUIRE_TOOLS: "1" },
    });
    return countTests(JSON.parse(readFileSync(file, "utf8")), status);
  } catch (error) {
    process.stderr.write(`the tests left no report: ${error.message}\n`);
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

// Its bucket is made with the library that is installed with the packages.
run("npm", ["run", "--silent", "bootstrap"]);
const server = await s3Server();
let tests;
try {
  tests = runTests(server.env);
} finally {
  await server.stop();
}
const checks = runChecks();

process.stdout.write("\n");
for (const { name, passed } of checks) process.stdout.write(`${passed ? "ok    " : "FAILED"} ${name}\n`);
if (tests.passed === 0) process.stdout.write("FAILED no test passed\n");

const passed = tests.passed + checks.filter((check) => check.passed).length;
const failed = tests.failed + checks.filter((check) => !check.passed).length;
process.exitCode = failed > 0 || tests.passed === 0 ? 1 : 0;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
