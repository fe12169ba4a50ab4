import { readFile } from "node:fs/promises";
import { type ArtifactSource, isKeepsakeError, parseAgentId, parseTenantId } from "@keepsake/core";
import { tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { Cut, type CutMode } from "../src/snapshot/cut.js";
import { PrivateStaging } from "../src/snapshot/private-staging.js";
import { stageSource } from "../src/snapshot/stage-source.js";
import type { AgentProfile } from "../src/workspace.js";
import { SteppedWorld } from "./support/stepped-world.js";

const REF = { tenant: parseTenantId("default"), agent: parseAgentId("ana") };

type Partner = "note" | "repository" | "copied note" | "left and right" | "right and left";

function partnersOf(world: SteppedWorld, partner: Partner): ArtifactSource[] {
  switch (partner) {
    case "note":
      return [world.noteSource()];
    case "repository":
      return [world.repositorySource()];
    case "copied note":
      return [world.copiedSource("note")];
    case "left and right":
      return [world.copiedSource("left"), world.copiedSource("right")];
    case "right and left":
      return [world.copiedSource("right"), world.copiedSource("left")];
  }
}

function profileOf(world: SteppedWorld, partner: Partner): AgentProfile {
  const cut = { attempts: 1, holdTimeoutMs: 1000, allow: "instant" as const };
  const sources = [world.databaseSource(), ...partnersOf(world, partner)];
  return { ref: REF, paths: { memory: "/nowhere" }, sources, state: [], cut } as unknown as AgentProfile;
}

/** Takes one cut of a world that writes once at step `writeAt`; gives both values, or the code of the refusal. */
async function cutOnce(
  writeAt: number,
  mode: CutMode,
  partner: Partner = "note",
): Promise<{ values: number[] | string; steps: number }> {
  const world = new SteppedWorld(writeAt);
  await using dir = await tempDir();
  await using staging = await PrivateStaging.make(dir.path, REF, "op");
  try {
    await using cut = await Cut.attempt(profileOf(world, partner), staging, mode, {});
    const values: number[] = [];
    for (const pinned of [...cut.pinned].reverse()) {
      const { artifacts } = await stageSource(pinned, staging, {});
      for (const { file } of artifacts) values.push(Number(await readFile(file ?? "", "utf8")));
    }
    await cut.proveUnmoved({});
    return { values, steps: world.steps };
  } catch (error) {
    if (!isKeepsakeError(error)) throw error;
    return { values: error.code, steps: world.steps };
  }
}

describe.each(["note", "repository", "copied note"] as const)(
  "a cut over a database and a %s that are written together",
  (partner) => {
    it("shows both at one instant, wherever the write falls, or refuses", async () => {
      const { steps } = await cutOnce(-1, "instant", partner);
      const outcomes: (number[] | string)[] = [];
      for (let writeAt = 0; writeAt <= steps; writeAt++)
        outcomes.push((await cutOnce(writeAt, "instant", partner)).values);
      for (const outcome of outcomes) {
        if (typeof outcome === "string") expect(outcome).toBe("E_SOURCE_CHANGED");
        else expect(outcome[0]).toBe(outcome[1]);
      }
      // Both ends occur: a write before all is seen by both, a write after all by neither.
      expect(outcomes[0]).toEqual([1, 1]);
      expect(outcomes.at(-1)).toEqual([0, 0]);
      // What is brought up to date within the hold has no need of a pause.
      const refused = outcomes.filter((outcome) => outcome === "E_SOURCE_CHANGED").length;
      expect(refused > 0).toBe(partner !== "copied note");
    });

    it("would show two instants if nothing were proven", async () => {
      const { steps } = await cutOnce(-1, "best_effort", partner);
      const skewed: number[] = [];
      for (let writeAt = 0; writeAt <= steps; writeAt++) {
        const { values } = await cutOnce(writeAt, "best_effort", partner);
        if (typeof values !== "string" && values[0] !== values[1]) skewed.push(writeAt);
      }
      expect(skewed.length).toBeGreaterThan(0);
    });
  },
);

describe.each(["left and right", "right and left"] as const)("a cut over two files, held by nobody: %s", (partner) => {
  /** What the files say, the one written first before the other. */
  async function filesAt(writeAt: number, mode: CutMode): Promise<string> {
    const { values } = await cutOnce(writeAt, mode, partner);
    if (typeof values === "string") return values;
    const [second, first] = values;
    return (partner === "left and right" ? [first, second] : [second, first]).join();
  }

  it.each(["instant", "fenced"] as const)("never shows the later write without the earlier one, %s", async (mode) => {
    const { steps } = await cutOnce(-2, mode, partner);
    const outcomes = new Set<string>();
    for (let writeAt = 0; writeAt <= steps; writeAt++) outcomes.add(await filesAt(writeAt, mode));
    for (const outcome of outcomes) expect(["0,0", "1,0", "1,1", "E_SOURCE_CHANGED"]).toContain(outcome);
    expect([...outcomes]).toEqual(expect.arrayContaining(["0,0", "1,1"]));
  });

  it("would, if nothing were proven, at least in one of the two orders", async () => {
    const { steps } = await cutOnce(-2, "best_effort", partner);
    const outcomes = new Set<string>();
    for (let writeAt = 0; writeAt <= steps; writeAt++) outcomes.add(await filesAt(writeAt, "best_effort"));
    expect(outcomes.has("0,1")).toBe(partner === "right and left");
  });
});

describe("a cut by best effort over what is copied when it is pinned", () => {
  it("copies again what moved while it was copied: nobody asks a fence afterwards", async () => {
    // The first step is that of the first copy.
    expect((await cutOnce(1, "best_effort", "copied note")).values).toEqual([1, 1]);
  });
});
