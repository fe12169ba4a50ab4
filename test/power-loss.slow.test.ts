import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TempDir, spread, tempDir } from "@keepsake/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CrashGround, groundOfAll, groundOfManyNotes, groundOfNotes } from "./support/crash-grounds.js";
import { canCutPower, type CutKind, type FileSystem, PowerDisk } from "./support/power-disk.js";
import {
  cutPower,
  liveCase,
  type PlannedCut,
  pointsOfCase,
  type PowerCase,
  sweptCase,
  workerFor,
} from "./support/power-judges.js";
import { type PowerPoint, PowerWorker } from "./support/power-worker.js";
import { havePrograms } from "./support/programs.js";

const LIMIT_MS = 300_000;
const KINDS: readonly CutKind[] = ["log_lost", "log_kept"];

/**
 * The power fails at so many moments of each operation on each file system, others on the one than on the other; and twice
 * right after the answer. `SWEEP=all`: at every moment on both.
 */
const CUTS = 2;

const CASES = {
  snapshot: ({ all }: Grounds) => sweptCase(all, "snapshot"),
  restore: ({ all }: Grounds) => sweptCase(all, "restore"),
  "restore of many files": ({ many }: Grounds) => sweptCase(many, "restore"),
  "restore through an open database": ({ all }: Grounds) => liveCase(all),
  delete: ({ notes }: Grounds) => sweptCase(notes, "delete"),
  export: ({ notes }: Grounds) => sweptCase(notes, "export"),
  import: ({ notes }: Grounds) => sweptCase(notes, "import"),
  "recover that takes back": ({ all }: Grounds) => sweptCase(all, "recover that takes back"),
  "recover that completes": ({ all }: Grounds) => sweptCase(all, "recover that completes"),
} as const;

const NAMES = Object.keys(CASES) as (keyof typeof CASES)[];
const here = havePrograms("cc") && (await canCutPower());

interface Grounds {
  readonly all: CrashGround;
  readonly notes: CrashGround;
  readonly many: CrashGround;
}

interface Prepared {
  readonly power: PowerCase;
  readonly points: readonly PowerPoint[];
}

describe.runIf(here)("when the power fails", () => {
  // Every disk is mounted here in turn: journals hold whole paths, so a world is struck where it was made.
  let place: TempDir;
  let grounds: Grounds;
  const cases = new Map<string, Promise<Prepared>>();
  beforeAll(async () => {
    place = await tempDir();
    grounds = {
      all: await groundOfAll(place.join("all")),
      notes: await groundOfNotes(place.join("notes")),
      many: await groundOfManyNotes(place.join("many")),
    };
  });
  afterAll(async () => {
    for (const ground of Object.values(grounds) as CrashGround[]) await ground[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  /** Found once, for both file systems. */
  function prepare(name: keyof typeof CASES): Promise<Prepared> {
    const known = cases.get(name) ?? find(name);
    cases.set(name, known);
    return known;
  }

  async function find(name: keyof typeof CASES): Promise<Prepared> {
    const power = CASES[name](grounds);
    const points = await pointsOfCase(power);
    return { power, points };
  }

  describe.each(["xfs", "ext4"] as const)("on %s", (fileSystem: FileSystem) => {
    let disk: PowerDisk;
    beforeAll(async () => {
      disk = await PowerDisk.make(fileSystem, place.path);
    });
    afterAll(() => disk[Symbol.asyncDispose]());

    it("a program that only writes and renames has reported what is lost", async () => {
      const kept = [];
      for (const kind of KINDS) {
        const folder = join(disk.path, kind);
        await mkdir(folder);
        await disk.settle();
        await using worker = new PowerWorker(grounds.notes.bundled.path("power-operate"));
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
        const chosen = process.env["SWEEP"] === "all" ? points : sample(points, fileSystem);
        const planned = [undefined, undefined, ...chosen].map(
          (point, index): PlannedCut => ({
            point,
            kind: index % 2 === 0 ? "log_lost" : "log_kept",
            next: index % 4 < 2 ? "recover" : "snapshot",
          }),
        );
        const failures: string[] = [];
        let ready = workerFor(power);
        for (const cut of planned) {
          const worker = ready;
          ready = workerFor(power);
          await cutPower(power, disk, cut, worker).catch((error: unknown) => failures.push(String(error)));
        }
        await ready[Symbol.asyncDispose]();
        console.log(
          `${fileSystem}, ${name}: ${String(planned.length)} cuts at ${String(points.length)} points, ${String(failures.length)} failures`,
        );
        expect(failures).toEqual([]);
      },
    );
  });
});

function sample(points: readonly PowerPoint[], fileSystem: FileSystem): readonly PowerPoint[] {
  const isMine = (index: number): boolean => index % 2 === (fileSystem === "xfs" ? 0 : 1);
  // At the first nothing has begun.
  const [, ...chosen] = spread(points, 2 * CUTS + 1);
  return chosen.filter((_point, index) => isMine(index));
}
