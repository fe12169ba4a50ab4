/**
 * The stages of CI: the tests on this Node, those that are not slow on others, then the checks. Every stage runs, also
 * after a failure. The last lines name what failed, and the last of all is `N passed, N failed`: test cases, and one for each
 * check and for each error outside of a test.
 */
import { runChecks } from "./checks.mjs";
import { root, run } from "./lib.mjs";
import { runTests } from "./run-tests.mjs";
import { startS3Server } from "./s3-server.mjs";
import { runOnOtherRuntimes } from "./other-runtimes.mjs";

/** Without it the tests that need it fail, and say so. */
async function s3Server() {
  try {
    return await startS3Server();
  } catch (error) {
    process.stderr.write(`no S3 server: ${error.message}\n`);
    return { env: {}, stop: async () => undefined };
  }
}

// Its bucket is made with the library that is installed with the packages.
run("npm", ["run", "--silent", "bootstrap"]);
const server = await s3Server();
const runtimes = [];
try {
  const env = { ...process.env, ...server.env };
  runtimes.push(
    runTests(`Node ${process.versions.node.split(".")[0]}`, { directory: root, env: { ...env, SLOW: "1" } }),
  );
  runtimes.push(...runOnOtherRuntimes(env));
} finally {
  await server.stop();
}
const checks = runChecks();

process.stdout.write("\n");
for (const { name, passed, failures, seconds } of runtimes) {
  const verdict = failures.length === 0 ? "ok    " : "FAILED";
  process.stdout.write(`${verdict} tests on ${name}: ${passed} passed, ${failures.length} failed in ${seconds} s\n`);
}
for (const { name, passed } of checks) process.stdout.write(`${passed ? "ok    " : "FAILED"} ${name}\n`);
for (const { name, failures } of runtimes) {
  for (const failure of failures) process.stdout.write(`FAILED ${name}: ${failure}\n`);
}

const sum = (numbers) => numbers.reduce((all, number) => all + number, 0);
const passed = sum(runtimes.map((runtime) => runtime.passed)) + checks.filter((check) => check.passed).length;
const failed = sum(runtimes.map(({ failures }) => failures.length)) + checks.filter((check) => !check.passed).length;
process.exitCode = failed > 0 ? 1 : 0;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
