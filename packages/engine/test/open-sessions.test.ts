import { setTimeout as sleep } from "node:timers/promises";
import { type ArtifactSource, type CaptureSession, KeepsakeError, type PathClaim } from "@keepsake/core";
import { type TempDir, tempDir } from "@keepsake/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OpenSessions } from "../src/snapshot/open-sessions.js";
import { PrivateStaging } from "../src/snapshot/private-staging.js";
import type { AgentProfile } from "../src/workspace.js";
import { ANA } from "./support/engine-bench.js";

let dir: TempDir;
let staging: PrivateStaging;
let closed: string[];

beforeEach(async () => {
  dir = await tempDir();
  staging = await PrivateStaging.make(dir.path, ANA, "op");
  closed = [];
});

afterEach(async () => dir[Symbol.asyncDispose]());

interface Opening {
  readonly afterMs: number;
  readonly fails?: boolean;
  /** told what others have claimed */
  readonly takesRest?: (claimed: readonly PathClaim[]) => void;
}

function source(id: string, { afterMs, fails = false, takesRest }: Opening): ArtifactSource {
  const open = async ({ claimed = [] }: { readonly claimed?: readonly PathClaim[] }): Promise<CaptureSession> => {
    takesRest?.(claimed);
    await sleep(afterMs);
    if (fails) throw new KeepsakeError("E_PERMISSION", `${id} cannot be opened.`);
    return {
      claims: [{ path: `/memory/${id}`, scope: "path" }],
      pin: () => Promise.resolve("held"),
      async *entries() {
        // Nothing.
      },
      [Symbol.asyncDispose]: async () => void closed.push(id),
    };
  };
  const takes = takesRest === undefined ? {} : { takes: "remainder" as const };
  return { id, kind: "test", open, ...takes };
}

const open = (...sources: readonly ArtifactSource[]): Promise<OpenSessions> =>
  OpenSessions.open({ ref: ANA, paths: { memory: "/memory" }, sources } as unknown as AgentProfile, staging, {});

describe("the sessions of several sources", () => {
  it("stand in the order of the sources, whichever was open first", async () => {
    const opened = await open(source("slow", { afterMs: 30 }), source("quick", { afterMs: 0 }));
    expect(opened.all.map(({ source: { id } }) => id)).toEqual(["slow", "quick"]);
  });

  it("are told of all claims where they take the rest, whichever was open first", async () => {
    const seen: string[] = [];
    const takesRest = (claimed: readonly PathClaim[]) => seen.push(...claimed.map(({ path }) => path));
    await open(source("rest", { afterMs: 0, takesRest }), source("slow", { afterMs: 30 }), source("b", { afterMs: 0 }));
    expect(seen).toEqual(["/memory/slow", "/memory/b"]);
  });

  it("are all closed when one cannot be opened, also those that are open only later", async () => {
    const opening = open(
      source("quick", { afterMs: 0 }),
      source("broken", { afterMs: 0, fails: true }),
      source("slow", { afterMs: 30 }),
    );
    await expect(opening).rejects.toMatchObject({ code: "E_PERMISSION", message: "broken cannot be opened." });
    expect(closed.sort()).toEqual(["quick", "slow"]);
  });
});
