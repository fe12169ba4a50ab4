/** A vitest reporter: writes what CI counts and names to the file in KEEPSAKE_TEST_REPORT. */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

export default class CiReporter {
  onTestRunEnd(modules, strayErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const ended = (state) => tests.filter((test) => test.result().state === state);
    const failures = [
      ...ended("failed").map((test) => `${test.module.relativeModuleId}: ${test.fullName}: ${reasonOf(test)}`),
      ...modules.filter(brokeOutsideOfTests).map((module) => `${module.relativeModuleId}: ${errorsOf(module)}`),
      ...strayErrors.map(strayError),
    ];
    writeFileSync(process.env.KEEPSAKE_TEST_REPORT, JSON.stringify({ passed: ended("passed").length, failures }));
  }
}

/** What is seen of a failure that comes once in fifty runs, and then where nobody can look. */
function reasonOf(test) {
  const [first] = test.result().errors ?? [];
  const [line = ""] = stripVTControlCharacters(first?.message ?? "no reason was told").split("\n");
  return line.slice(0, 400);
}

/** It did not load, or what is around its tests failed. */
function brokeOutsideOfTests(module) {
  return !module.ok() && ![...module.children.allTests("failed")].length;
}

function errorsOf(module) {
  const errors = [module, ...module.children.allSuites()].flatMap((part) => part.errors());
  return `outside of its tests: ${errors.map(({ message }) => message).join("; ")}`;
}

/** A rejection that nobody handled, an exception in a callback: no test fails for it, but something went wrong. */
function strayError({ name, message, VITEST_TEST_PATH: file, VITEST_TEST_NAME: test }) {
  const place = file === undefined ? "no file" : relative(process.cwd(), file);
  const during = test === undefined ? "" : `, while "${test}" ran`;
  return `${place}: a stray error that no test caught${during}: ${name ?? "Error"}: ${message}`;
}
