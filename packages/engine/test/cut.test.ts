import { readFile } from "node:fs/promises";
import { isKeepsakeError, parseAgentId, parseTenantId } from "@keepsake/core";
import { tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { Cut, type CutMode } from "../src/snapshot/cut.js";
import { PrivateStaging } from "../src/snapshot/private-staging.js";
import { stageSource } from "../src/snapshot/stage-source.js";
import type { AgentProfile } from "../src/workspace.js";
import { SteppedWorld } from "./support/stepped-world.js";

const REF = { tenant: parseTenantId("default"), agent: parseAgentId("ana") };

type Partner = "note" | "repository";

function profileOf(world: SteppedWorld, partner: Partner): AgentProfile {
  const cut = { attempts: 1, holdTimeoutMs: 1000, allow: "instant" as const };
  const other = partner === "note" ? world.noteSource() : world.repositorySource();
  const sources = [world.databaseSource(), other];
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

describe.each(["note", "repository"] as const)(
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
      expect(outcomes.filter((outcome) => outcome === "E_SOURCE_CHANGED").length).toBeGreaterThan(0);
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
