import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BundleStore, KeepsakeError, NOBODY, parseAgentId, parseTenantId, streamOf } from "@keepsake/core";
import { faultyStore, memoryStore, treeDigest } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { PrivateStaging } from "../src/snapshot/private-staging.js";
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

  it("goes on where one agent fails, and tells with the failure what was done elsewhere", async () => {
    await using bench = await engineBench({ nowMs: DAYS_LATER });
    const staging = (agent: string) => join(bench.stateRoot, "staging/default", agent);
    const journals = join(bench.stateRoot, "journals/default");
    await mkdir(journals, { recursive: true });
    await writeFile(join(journals, "bob.json"), "no journal");
    for (const agent of ["ana", "bob", "cleo"]) await mkdir(join(staging(agent), "one"), { recursive: true });
    const error: unknown = await bench.snapshotter.recover({}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KeepsakeError);
    const { code, message, context, cause } = error as KeepsakeError;
    expect(context).toMatchObject({
      restores: [],
      swept: [join(staging("ana"), "one"), join(staging("cleo"), "one")],
      failures: [{ tenant: "default", agent: "bob", code, message }],
    });
    expect(cause).toMatchObject({ code });
    expect(Object.keys(await treeDigest(staging("bob")))).toEqual(["one"]);
    await expect(bench.snapshotter.recover({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
  });

  it("sweeps what the look at a folder left that was no agent's", async () => {
    await using bench = await engineBench({ nowMs: DAYS_LATER });
    const left = join(bench.stateRoot, "staging/default", NOBODY, "one");
    await mkdir(left, { recursive: true });
    expect((await bench.snapshotter.recover({})).swept).toEqual([left]);
  });

  it("tells with a code, and the folder, that staging cannot be removed", async () => {
    await using bench = await engineBench();
    const place = join(bench.stateRoot, "staging/default/ana");
    await mkdir(join(place, ".."), { recursive: true });
    // What the kernel shows of this process nobody can remove, the superuser included.
    await symlink("/proc/self/fdinfo", place);
    const swept = PrivateStaging.sweep(bench.stateRoot, {
      tenant: parseTenantId("default"),
      agent: parseAgentId("ana"),
    });
    const path = expect.stringContaining(`${place}/`) as string;
    await expect(swept).rejects.toMatchObject({ name: "KeepsakeError", code: "E_PERMISSION", context: { path } });
  });

  it.each(["sweep", "delete"] as const)("fails when a store that could be swept is not: %s", async (on) => {
    expect((await recovered(new KeepsakeError("E_IO", "The disk is gone."), on)).outcome).toBe("E_IO");
  });
});
