import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const root = dirname(fileURLToPath(import.meta.url));
const slow = process.env["SLOW"] === "1";

/** Tests use SQLite in their own process: on Node 24 it would be ended (packages/sqlite/src/process/better-sqlite.ts). */
const KEPT_SQLITE = resolve(root, "test/support/kept-better-sqlite.ts");

/**
 * Tests run what users run: the compiled packages. A test's `import "../src/x.js"` becomes `../dist/x.js`, so that a
 * module exists once however it is reached, and worker threads and decorators are as tsc made them.
 */
function builtSources() {
  return {
    name: "keepsake:built-sources",
    enforce: "pre" as const,
    configureVitest(): void {
      if (!slow) console.log("*.slow.test.ts are left out: SLOW=1 runs them");
    },
    resolveId(source: string, importer: string | undefined): string | undefined {
      if (source === "better-sqlite3") return KEPT_SQLITE;
      if (importer === undefined || !source.startsWith(".")) return undefined;
      const target = resolve(dirname(importer), source);
      const match = /^(.*\/packages\/[^/]+)\/src\/(.+)\.[jt]s$/.exec(target);
      return match ? `${match[1] ?? ""}/dist/${match[2] ?? ""}.js` : undefined;
    },
  };
}

/** The longest first: what begins last would else be waited for alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      LONGEST.test(moduleId) ? 0 : moduleId.includes(".slow.") ? 1 : 2;
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

const LONGEST = /\/faults-[a-z]+\.slow\.test\.ts$/;

export default defineConfig({
  root,
  plugins: [builtSources()],
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", ...(slow ? [] : ["**/*.slow.test.ts"])],
    // Node loads the compiled packages itself: one instance each, shared with what they import.
    server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } },
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
