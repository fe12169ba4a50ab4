import type { ConformanceCase, ConformanceOptions } from "./conformance-case.js";
import { NotJudged } from "./not-judged.js";

/** The two functions of a test runner that are needed: those of vitest, `node:test`, jest or mocha. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

/** What vitest, `node:test` and mocha hand to a test: the way to end it as neither passed nor failed. */
interface TestContext {
  readonly skip?: (reason: string) => unknown;
}

/**
 * Registers the cases as tests, in one group for each suite.
 *
 * @example runConformance(storeConformance({ create: (dir) => ({ store: myStore(dir), … }) }), { describe, it });
 */
export function runConformance(
  cases: readonly ConformanceCase[],
  { describe, it }: TestRunner,
  options: ConformanceOptions = {},
): void {
  for (const port of new Set(cases.map((one) => one.port))) {
    describe(`${port} conformance`, () => {
      for (const one of cases.filter((each) => each.port === port)) {
        // Not a parameter of its own: jest and mocha take a function with one for a test that ends by a callback.
        it(`${one.id}: ${one.says}`, async (...given: readonly unknown[]) => {
          try {
            await one.run(options);
          } catch (error) {
            if (!(error instanceof NotJudged)) throw error;
            tellUnjudged(one, error, given[0]);
          }
        });
      }
    });
  }
}

/** A test that was not judged must not look like one that passed. */
function tellUnjudged({ id }: ConformanceCase, { message }: NotJudged, context: unknown): void {
  process.stderr.write(`${id} is not judged here: ${message}\n`);
  if (typeof context === "object" && context !== null && "skip" in context) (context as TestContext).skip?.(message);
}
