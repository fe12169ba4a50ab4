import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BundleStore, KeepsakeError, streamOf } from "@keepsake/core";
import { faultyStore, memoryStore, treeDigest } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { engineBench } from "./support/engine-bench.js";

const DAYS_LATER = (): number => Date.now() + 3 * 86_400_000;
const ORPHAN = "tenants/default/snapshots/ana/00000000-0000-7000-8000-000000000000.tar";

/** Staging that a crash left, and a body without a record that is older than a day, in a store that refuses. */
async function recovered(refusal: KeepsakeError, on: "sweep" | "delete") {
  const inner: BundleStore = memoryStore();
  await inner.put(ORPHAN, streamOf("half"));
  const bench = await engineBench({ store: faultyStore(inner, [{ on, fail: refusal }]), nowMs: DAYS_LATER });
  await using _bench = bench;
  const left = join(bench.stateRoot, "staging/default/ana/one");
  await mkdir(left, { recursive: true });
  await writeFile(join(left, "plain.txt"), "plain");
  const outcome = await bench.snapshotter.recover({}).then(
    ({ swept }) => swept,
    (error: unknown) => (error as KeepsakeError).code,
  );
  const staging = Object.keys(await treeDigest(join(bench.stateRoot, "staging/default/ana")));
  return { outcome, left, staging, orphan: await inner.head(ORPHAN) };
}

describe("recover", () => {
  it.each(["sweep", "delete"] as const)("does all but what a store that is only read refuses: %s", async (on) => {
    const { outcome, left, staging, orphan } = await recovered(new KeepsakeError("E_READ_ONLY", "Only read."), on);
    expect(outcome).toEqual(on === "sweep" ? [left, ORPHAN] : [left]);
    expect(staging).toEqual([]);
    expect(orphan === undefined).toBe(on === "sweep");
  });

  it.each(["sweep", "delete"] as const)("fails when a store that could be swept is not: %s", async (on) => {
    expect((await recovered(new KeepsakeError("E_IO", "The disk is gone."), on)).outcome).toBe("E_IO");
  });
});
