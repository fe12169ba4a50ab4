import { writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { engineBench } from "./support/engine-bench.js";

/** Requests as they come from programs without types, and what is said of each. */
const WRONG = {
  snapshot: [
    [undefined, "agent must be a text"],
    [null, "must be an object"],
    [{ agent: 5 }, "agent must be a text"],
    [{ agent: "" }, "agent must not be empty"],
    [{ agent: "ana", memory: "/a\0b" }, "memory must not hold a NUL"],
    [{ agent: "ana", labels: "x" }, "labels is not known"],
    [{ agent: "ana", recipients: "age1" }, "recipients"],
  ],
  restore: [
    [{ agent: "ana" }, "either ref or bundleFile"],
    [{ agent: "ana", ref: "latest", bundleFile: "x" }, "either ref or bundleFile"],
    [{ agent: "ana", ref: "latest", dry_run: true }, "dry_run is not known"],
    [{ agent: "ana", ref: "latest", dryRun: "no" }, "dryRun"],
    [{ agent: "ana", bundleFile: "x", only: "a.md" }, "only"],
    [{ agent: "ana", ref: "latest", only: [] }, "only"],
  ],
  list: [[{ limit: 5 }, "limit is not known"]],
  show: [[{ agent: "ana" }, "ref"]],
  verify: [
    [{}, "either ref or bundleFile"],
    [{ bundleFile: 5 }, "bundleFile"],
    [{ bundleFile: "x", deep: true }, "deep is not known"],
  ],
  diff: [[{ agent: "ana", from: "latest" }, "to"]],
  delete: [[{ agent: "ana", ref: {} }, "ref"]],
  export: [[{ agent: "ana", ref: "latest" }, "to"]],
  import: [[{ agent: "ana" }, "bundleFile"]],
  prune: [
    [{ keepCount: 3 }, "keepCount is not known"],
    [{ keep: { last: "3" } }, "keep.last"],
  ],
  recover: [["ana", "must be an object"]],
  doctor: [[{ reindex: "yes" }, "reindex"]],
  sync: [
    [undefined, "stores"],
    [{ stores: [{ name: "a", store: 5 }] }, "stores"],
  ],
} as const;

describe("a request that is wrong", () => {
  it.each(Object.entries(WRONG))("of %s says in what, and does nothing", async (operation, cases) => {
    await using bench = await engineBench();
    await writeTree(bench.memory, { "notes/a": "a" });
    await bench.snapshotter.snapshot({ agent: "ana" });
    await writeTree(bench.memory, { "notes/a": "later" });
    const before = JSON.stringify(await bench.snapshotter.list());
    for (const [request, said] of cases) {
      const run = bench.snapshotter[operation as "list"](request as never);
      await expect(run, JSON.stringify(request)).rejects.toMatchObject({
        code: "E_USAGE",
        message: expect.stringContaining(said) as string,
        context: { operation },
      });
    }
    expect(JSON.stringify(await bench.snapshotter.list())).toBe(before);
  });

  it("may come with options, which are checked, too", async () => {
    await using bench = await engineBench();
    await writeTree(bench.memory, { "notes/a": "a" });
    for (const [options, said] of [
      [5, "must be an object"],
      [null, "must be an object"],
      [{ signal: 5 }, "signal must be an AbortSignal"],
      [{ onProgress: true }, "onProgress must be a function"],
    ] as const) {
      await expect(bench.snapshotter.snapshot({ agent: "ana" }, options as never)).rejects.toMatchObject({
        code: "E_USAGE",
        message: expect.stringContaining(said) as string,
      });
    }
    expect((await bench.snapshotter.list()).snapshots).toEqual([]);
  });

  it("may say where the memory lies, also where nobody asks: one object serves all requests of an agent", async () => {
    await using bench = await engineBench();
    await writeTree(bench.memory, { "notes/a": "a" });
    const ana = { agent: "ana", memory: bench.memory };
    await bench.snapshotter.snapshot(ana);
    expect((await bench.snapshotter.verify({ ...ana, ref: "latest" })).ok).toBe(true);
    expect(await bench.snapshotter.show({ ...ana, ref: "latest" })).toMatchObject({ agent_id: "ana" });
  });

  it("may be none where there is nothing to ask", async () => {
    await using bench = await engineBench();
    expect((await bench.snapshotter.list()).snapshots).toEqual([]);
    expect((await bench.snapshotter.prune()).deleted).toEqual([]);
    expect((await bench.snapshotter.recover()).restores).toEqual([]);
    expect((await bench.snapshotter.doctor()).ok).toBe(true);
  });
});
