import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  checkConformance,
  type ConformanceCase,
  describeConformance,
  memoryStore,
  NotJudged,
  runConformance,
  storeConformance,
} from "../src/index.js";

const passing: ConformanceCase = {
  port: "test",
  id: "test.passes",
  says: "It passes.",
  isPrecondition: true,
  run: async () => "passed",
};
const failing: ConformanceCase = {
  ...passing,
  id: "test.fails",
  run: async () => {
    throw new Error("wrong");
  },
};

describe("the cases", () => {
  it("have ids of their port, each once, and a sentence each", () => {
    const cases = describeConformance();
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
    for (const { port, id, says } of cases) {
      expect(id).toMatch(new RegExp(`^${port}(\\.[a-z]+(-[a-z]+)*)+$`));
      expect(says).toMatch(/^[^\n]+\.$/);
    }
    expect(cases.length).toBeGreaterThan(130);
  });

  it("are those of docs/conformance.md", async () => {
    const text = await readFile(new URL("../../../docs/conformance.md", import.meta.url), "utf8");
    const rows = [...text.matchAll(/^\| `([a-z.-]+)` \| (.*) \| (\w*) \|$/gm)].map(([, id, says, needs]) => [
      id,
      says,
      needs,
    ]);
    expect(rows).toEqual(describeConformance().map(({ id, says, needs = "" }) => [id, says, needs]));
  });
});

describe("checkConformance", () => {
  it("tells what became of each case, as it goes", async () => {
    const told: string[] = [];
    const cases = [passing, { ...failing, isPrecondition: false }];
    const report = await checkConformance(cases, { onResult: ({ id }) => told.push(id) });
    expect(told).toEqual(["test.passes", "test.fails"]);
    expect(report.ok).toBe(false);
    expect(report.results).toMatchObject([{ status: "passed" }, { status: "failed", error: { message: "wrong" } }]);
  });

  it("asks nothing more of a suite whose first case fails, and goes on with the next suite", async () => {
    const after = { ...passing, isPrecondition: false };
    const { results } = await checkConformance([failing, after, { ...after, port: "other" }]);
    expect(results.map(({ status }) => status)).toEqual(["failed", "not_checked", "passed"]);
  });

  it("names a case that does not end, and stops when its signal fires", async () => {
    const [, round] = storeConformance({
      create: () => ({ store: { ...memoryStore(), put: () => new Promise(() => undefined) }, reopen: null }),
    });
    if (round === undefined) throw new Error("no case");
    const { results } = await checkConformance([round], { limitMs: 20 });
    expect(results[0]?.error).toMatchObject({ message: "store.put.round-trip did not end within 20 ms." });
    await expect(checkConformance([passing], { signal: AbortSignal.abort() })).rejects.toThrow();
  });

  it("fails a case whose subject cannot be closed", async () => {
    const [first] = storeConformance({
      create: () => ({
        store: memoryStore(),
        reopen: null,
        [Symbol.asyncDispose]: async () => {
          throw new Error("cannot be closed");
        },
      }),
    });
    if (first === undefined) throw new Error("no case");
    const { results } = await checkConformance([first]);
    expect(results[0]).toMatchObject({ status: "failed", error: { message: "cannot be closed" } });
  });
});

describe("a case that this system cannot judge", () => {
  const unjudged: ConformanceCase = {
    ...passing,
    id: "test.unjudged",
    run: () => Promise.reject(new NotJudged("there is no /proc")),
  };

  it("is told as not checked, with the reason, and is no failure", async () => {
    const { ok, results } = await checkConformance([unjudged, { ...passing, isPrecondition: false }]);
    expect(ok).toBe(true);
    expect(results).toMatchObject([{ status: "not_checked", reason: "there is no /proc" }, { status: "passed" }]);
  });

  it("is no pass for a test runner: it is skipped where the runner can do that", async () => {
    const bodies: ((context?: unknown) => Promise<void>)[] = [];
    runConformance([unjudged], { describe: (_name, body) => body(), it: (_name, body) => bodies.push(body) });
    const skipped: string[] = [];
    await bodies[0]?.({ skip: (reason: string) => skipped.push(reason) });
    await bodies[0]?.();
    expect(skipped).toEqual(["there is no /proc"]);
    expect(bodies[0]).toHaveLength(0);
  });
});

describe("under node --test", () => {
  const run = (name: string) => {
    const program = fileURLToPath(new URL(`${name}.program.mjs`, import.meta.url));
    // Without this the inner runner thinks that it is a part of an outer one.
    const { NODE_TEST_CONTEXT: _outer, ...env } = process.env;
    return spawnSync(process.execPath, ["--test", "--test-reporter=tap", program], { encoding: "utf8", env });
  };

  it("the same suites run, and pass", () => {
    const { status, stdout } = run("node-test");
    expect(stdout).toMatch(/^# fail 0$/m);
    const count = Number(/^# pass (\d+)$/m.exec(stdout)?.[1]);
    const expected = describeConformance().filter(({ port }) => port === "store" || port === "lock").length;
    expect([status, count]).toEqual([0, expected]);
  });

  it("and fail for what is broken", () => {
    const { status, stdout } = run("node-test-broken");
    expect(status).toBe(1);
    expect(stdout).toMatch(/^ *not ok \d+ - store\.get\.ranges: /m);
    expect(stdout).toMatch(/^# fail [1-9]/m);
  });
});

describe("under vitest", () => {
  runConformance(
    storeConformance({ create: () => ({ store: memoryStore(), reopen: null, boundedMemory: false }) }),
    { describe, it },
    { streamBytes: 1_000_000 },
  );
});
