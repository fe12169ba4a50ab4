/** `npm run check`: every check, then which of them failed. */
import { runChecks } from "./checks.mjs";

const failed = runChecks().filter((check) => !check.passed);
process.stdout.write(
  failed.length === 0 ? "\nall checks passed\n" : `\nfailed: ${failed.map((check) => check.name).join(", ")}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
