import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ground, groundOfAll, groundOfNotes } from "./support/crash-judges.js";
import { sampleOf } from "./support/crash-sweep.js";
import { canCutPower, type CutKind, type FileSystem, PowerDisk } from "./support/power-disk.js";
import {
  cutPower,
  importCase,
  liveCase,
  pointsOfCase,
  type PowerCase,
  recoverCase,
  sweptCase,
} from "./support/power-judges.js";
import { type PowerPoint, PowerWorker } from "./support/power-worker.js";

const LIMIT_MS = 300_000;
const KINDS: readonly CutKind[] = ["log_lost", "log_kept"];

/** The power fails at so many moments of each operation on each file system; `SWEEP=all`: at every one. */
const CUTS = 3;

const CASES = {
  snapshot: ({ all }: Grounds) => sweptCase(all, "snapshot"),
  restore: ({ all }: Grounds) => sweptCase(all, "restore"),
  "restore through an open database": ({ all }: Grounds) => liveCase(all),
  delete: ({ notes }: Grounds) => sweptCase(notes, "delete"),
  export: ({ notes }: Grounds) => sweptCase(notes, "export"),
  import: ({ notes }: Grounds) => importCase(notes),
  "recover that takes back": ({ all }: Grounds) => recoverCase(all, "intent"),
  "recover that completes": ({ all }: Grounds) => recoverCase(all, "committed"),
} as const;

const NAMES = Object.keys(CASES) as (keyof typeof CASES)[];
const here = await canCutPower();

interface Grounds {
  readonly all: Ground;
  readonly notes: Ground;
}

interface Prepared {
  readonly power: PowerCase;
  readonly points: readonly PowerPoint[];
}

describe.runIf(here)("when the power fails", () => {
  let grounds: Grounds;
  const cases = new Map<string, Promise<Prepared>>();
  beforeAll(async () => {
    grounds = { all: await groundOfAll(), notes: await groundOfNotes() };
  });
  afterAll(async () => {
    const worlds = [grounds.all.world, grounds.notes.world];
    for (const prepared of cases.values()) worlds.push((await prepared).power.ground.world);
    for (const world of new Set(worlds)) await world[Symbol.asyncDispose]();
  });

  /** Found once, for both file systems. */
  function prepare(name: keyof typeof CASES): Promise<Prepared> {
    const known = cases.get(name) ?? find(name);
    cases.set(name, known);
    return known;
  }

  async function find(name: keyof typeof CASES): Promise<Prepared> {
    const power = await CASES[name](grounds);
    const points = await pointsOfCase(power);
    return { power, points };
  }

  describe.each(["xfs", "ext4"] as const)("on %s", (fileSystem: FileSystem) => {
    let disk: PowerDisk;
    beforeAll(async () => {
      disk = await PowerDisk.make(fileSystem);
    });
    afterAll(() => disk[Symbol.asyncDispose]());

    it("a program that only writes and renames has reported what is lost", async () => {
      const kept = [];
      for (const kind of KINDS) {
        const folder = join(disk.path, kind);
        await mkdir(folder);
        await disk.settle();
        await using worker = new PowerWorker();
        const request = { folder, name: "note", text: "learnt today\n" };
        const { result } = await worker.run({ config: {}, stateRoot: "", name: "naive", request }, undefined);
        expect(result).toBe("done");
        await disk.cut(kind);
        await worker[Symbol.asyncDispose]();
        await disk.restart();
        kept.push(await readFile(join(folder, "note"), "utf8").catch(() => "no such file"));
      }
      expect(kept).toEqual(["no such file", ""]);
    });

    it.each(NAMES)(
      "%s: what was reported is there, and what was not is wholly the old or the new",
      {
        timeout: LIMIT_MS,
      },
      async (name) => {
        const { power, points } = await prepare(name);
        const chosen = process.env["SWEEP"] === "all" ? points : sampleOf(points, CUTS);
        const failures: string[] = [];
        let ready = new PowerWorker();
        const strike = async (point: PowerPoint | undefined, kind: CutKind) => {
          const worker = ready;
          ready = new PowerWorker();
          await cutPower(power, disk, point, kind, worker).catch((error: unknown) => failures.push(String(error)));
        };
        for (const kind of KINDS) await strike(undefined, kind);
        for (const [index, point] of chosen.entries()) await strike(point, KINDS[index % KINDS.length] ?? "log_lost");
        await ready[Symbol.asyncDispose]();
        console.log(
          `${fileSystem}, ${name}: ${String(KINDS.length + chosen.length)} of ${String(points.length)} cuts, ${String(failures.length)} failures`,
        );
        expect(failures).toEqual([]);
      },
    );
  });
});
