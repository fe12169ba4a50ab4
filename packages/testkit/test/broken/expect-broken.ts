import { expect, it } from "vitest";
import { checkConformance, type ConformanceCase, type ConformanceOptions } from "../../src/index.js";

/** Something right that was broken on purpose. */
export interface Broken<Subject> {
  /** what it does wrong */
  readonly wrong: string;
  readonly make: (dir: string) => Subject | Promise<Subject>;
  /** The cases it fails, each and no other. */
  readonly fails: readonly string[];
  /** Those of them that it fails by never ending. */
  readonly hangs?: readonly string[];
  readonly options?: ConformanceOptions;
}

/** Two mebibytes stream quickly; what is about memory asks for more. */
const QUICK: ConformanceOptions = { streamBytes: 2 * 1024 * 1024 + 7 };
const HANGS_AFTER_MS = 1_500;
/** What ends, ends within this also on a loaded machine. */
const LIMIT_MS = 60_000;

async function failedIds(cases: readonly ConformanceCase[], hangs: readonly string[], options: ConformanceOptions) {
  const failed: string[] = [];
  for (const one of cases) {
    const limit = { limitMs: hangs.includes(one.id) ? HANGS_AFTER_MS : LIMIT_MS };
    const { results } = await checkConformance([one], { ...QUICK, ...options, ...limit });
    for (const { status, id } of results) if (status === "failed") failed.push(id);
    // Nothing can be said of the others then.
    if (one.isPrecondition && failed.length > 0) break;
  }
  return failed;
}

/** One test for each broken subject, and one for the right one that they were made of. */
export function expectBroken<Subject>(
  bind: (factory: { readonly create: (dir: string) => Subject | Promise<Subject> }) => readonly ConformanceCase[],
  right: (dir: string) => Subject | Promise<Subject>,
  table: readonly Broken<Subject>[],
): void {
  it("passes what is right", async () => {
    expect(await failedIds(bind({ create: right }), [], {})).toEqual([]);
  });
  for (const { wrong, make, fails, hangs = [], options = {} } of table) {
    it(`tells what ${wrong}`, async () => {
      const failed = await failedIds(bind({ create: make }), hangs, options);
      expect(failed.sort()).toEqual([...fails, ...hangs].sort());
    });
  }
}
