import type { ConformanceCase, ConformanceOptions } from "./conformance-case.js";

/** The two functions of a test runner that are needed: those of vitest, `node:test`, jest or mocha. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
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
        it(`${one.id}: ${one.says}`, async () => {
          await one.run(options);
        });
      }
    });
  }
}
