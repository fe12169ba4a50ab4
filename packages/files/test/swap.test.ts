import { chmod, link, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "@keepsake/core";
import { type TempDir, tempDir, treeDigest, type TreeDigest, writeTree } from "@keepsake/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applySwap, revertSwap, type SwapPlan, swapPlanFromJson, swapPlanToJson, toJsonPath } from "../src/index.js";
import { hasStrace, runWithFault } from "./strace.js";
import { type SwapCase, swapCase } from "./swap-case.js";

let temp: TempDir;
beforeEach(async () => {
  temp = await tempDir();
});
afterEach(async () => temp[Symbol.asyncDispose]());

/** Bytes, names, modes; times of files. Directory times where the plan promises them are asked for by name. */
const look = (dir: string): Promise<TreeDigest> => treeDigest(dir, { mtimes: "files" });

async function outcomes(): Promise<{ before: TreeDigest; after: TreeDigest }> {
  const probe = await swapCase(join(temp.path, "probe"));
  const before = await look(probe.live);
  await applySwap(probe.plan);
  return { before, after: await look(probe.live) };
}

const withoutTimes = (tree: TreeDigest): TreeDigest =>
  Object.fromEntries(Object.entries(tree).map(([path, { mtimeMs: _time, ...node }]) => [path, node]));

describe("applySwap and revertSwap", () => {
  it("does what every step says", async () => {
    const { live, plan } = await swapCase(temp.path);
    await applySwap(swapPlanFromJson(JSON.parse(JSON.stringify(swapPlanToJson(plan))) as JsonObject));
    expect((await readdir(live)).sort()).toEqual(
      [
        "closed",
        "dir-to-file",
        "dir-to-link",
        "file-to-dir",
        "link",
        "link-to-dir",
        "made",
        "replaced.md",
        "times.md",
      ].sort(),
    );
    expect(await readFile(join(live, "replaced.md"), "utf8")).toBe("new words");
    expect(await readFile(join(live, "closed/replaced.md"), "utf8")).toBe("new and closed");
    expect(await readFile(join(live, "file-to-dir/inner.md"), "utf8")).toBe("inside what was a file");
    expect((await stat(join(live, "closed"))).mode & 0o7777).toBe(0o555);
    expect((await stat(join(live, "closed"))).mtimeMs).toBeCloseTo(1_600_000_000_000, 2);
    expect((await stat(join(live, "times.md"))).mtimeMs).toBeCloseTo(1_600_000_000_000.125, 3);
    expect((await stat(join(live, "made"))).mode & 0o7777).toBe(0o750);
  });

  it("shows that rename alone cannot change a file into a folder", async () => {
    await writeFile(join(temp.path, "file"), "");
    await mkdir(join(temp.path, "folder"));
    await expect(rename(join(temp.path, "folder"), join(temp.path, "file"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  it("is idempotent both ways", async () => {
    const { live, plan } = await swapCase(temp.path);
    const before = await treeDigest(live);
    await applySwap(plan);
    const after = await treeDigest(live, { mtimes: "files" });
    await applySwap(plan);
    expect(await look(live)).toEqual(after);
    await revertSwap(plan);
    await revertSwap(plan);
    const reverted = await treeDigest(live);
    expect(reverted).toEqual(before);
    await applySwap(plan);
    expect(await look(live)).toEqual(after);
  });

  it("reaches the new or the old state from every step it may have stopped at", async () => {
    const { before, after } = await outcomes();
    const { length } = (await swapCase(join(temp.path, "count"))).plan.steps;
    for (let done = 0; done <= length; done++) {
      for (const way of ["apply", "revert"] as const) {
        const { live, plan } = await swapCase(join(temp.path, `${way}-${String(done)}`));
        await applySwap({ steps: plan.steps.slice(0, done) });
        await (way === "apply" ? applySwap(plan) : revertSwap(plan));
        expect(withoutTimes(await look(live)), `${way} after ${String(done)} steps`).toEqual(
          withoutTimes(way === "apply" ? after : before),
        );
      }
    }
  });

  it("keeps what a meanwhile created folder holds, instead of failing for ever", async () => {
    const { live, staging, plan } = await swapCase(temp.path);
    await applySwap(plan);
    await rm(join(live, "replaced.md"));
    await mkdir(join(live, "replaced.md"));
    await writeFile(join(live, "replaced.md/late.md"), "late");
    await mkdir(join(live, "gone.md"));
    await revertSwap(plan);
    expect(await readFile(join(live, "replaced.md"), "utf8")).toBe("old words");
    expect(await readFile(join(live, "gone.md"), "utf8")).toBe("gone");
    expect(await readFile(join(staging, "new/1/late.md"), "utf8")).toBe("late");
  });

  it.each(["link", "folder"])(
    "sets aside what it is to, and no folder that came there meanwhile: a %s",
    async (there) => {
      const [live, undo] = [join(temp.path, "data"), join(temp.path, "undo")];
      await mkdir(join(temp.path, "elsewhere"));
      if (there === "link") await symlink("elsewhere", live);
      else await writeTree(live, { "inner.db": "another plan's" });
      const before = await treeDigest(temp.path, { mtimes: "files" });
      const plan: SwapPlan = {
        steps: [
          { do: "remove", live, undo, unless: "directory" },
          { do: "make_dir", live, mode: 0o755 },
        ],
      };
      for (let twice = 0; twice < 2; twice++) {
        await applySwap(plan);
        expect(await readdir(live)).toEqual(there === "link" ? [] : ["inner.db"]);
        expect(await readdir(temp.path)).toEqual(
          there === "link" ? ["data", "elsewhere", "undo"] : ["data", "elsewhere"],
        );
      }
      for (let twice = 0; twice < 2; twice++) {
        await revertSwap(plan);
        expect(await treeDigest(temp.path, { mtimes: "files" })).toEqual(before);
      }
    },
  );

  it("never makes a directory through a link that is in the way", async () => {
    await mkdir(join(temp.path, "elsewhere"), { mode: 0o700 });
    await chmod(join(temp.path, "elsewhere"), 0o700);
    await symlink("elsewhere", join(temp.path, "dir"));
    const plan: SwapPlan = { steps: [{ do: "make_dir", live: join(temp.path, "dir"), mode: 0o777 }] };
    await expect(applySwap(plan)).rejects.toMatchObject({ code: "EEXIST" });
    expect((await stat(join(temp.path, "elsewhere"))).mode & 0o777).toBe(0o700);
  });

  it("handles names that are no UTF-8", async () => {
    const name = Buffer.concat([Buffer.from(`${temp.path}/`), Buffer.from([0xff, 0xfe])]);
    await writeFile(name, "old");
    await writeFile(join(temp.path, "staged"), "new");
    const plan: SwapPlan = {
      steps: [{ do: "put", live: toJsonPath(name), staged: join(temp.path, "staged"), undo: join(temp.path, "undo") }],
    };
    await applySwap(plan);
    expect(await readFile(name, "utf8")).toBe("new");
    await revertSwap(plan);
    expect(await readFile(name, "utf8")).toBe("old");
  });

  it("undoes a stop between link and rename, although rename of two links of one file does nothing", async () => {
    const [live, staged, undo] = ["live", "staged", "undo"].map((name) => join(temp.path, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(live, "old");
    await writeFile(staged, "new");
    await link(live, undo);
    await rename(undo, live);
    expect(await readdir(temp.path), "the trap").toContain("undo");
    await revertSwap({ steps: [{ do: "put", live, staged, undo }] });
    expect(await readFile(live, "utf8")).toBe("old");
    expect(await readdir(temp.path)).not.toContain("undo");
  });

  it("stops when it is told to, and can be taken back", async () => {
    const { live, plan } = await swapCase(temp.path);
    const before = await look(live);
    await expect(applySwap(plan, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
    await revertSwap(plan);
    expect(await look(live)).toEqual(before);
  });
});

const CALLS = ["rename", "link", "unlink", "mkdir", "rmdir", "chmod", "utimensat", "fsync"];

describe.runIf(hasStrace)("a process stopped at any system call", () => {
  async function sweep(
    way: "apply" | "revert",
    fault: string,
    judge: (made: SwapCase, at: string) => Promise<void>,
  ): Promise<number> {
    let stops = 0;
    for (const call of CALLS) {
      for (let when = 1; ; when++) {
        const at = `${way}-${call}-${String(when)}`;
        const made = await swapCase(join(temp.path, at));
        const file = join(temp.path, at, "plan.json");
        await writeFile(file, JSON.stringify(swapPlanToJson(made.plan)));
        if (way === "revert") await applySwap(made.plan);
        const program = join(import.meta.dirname, "apply-plan.mjs");
        const ended = await runWithFault(call, fault, String(when), [program, way, file]);
        if (ended.code === 0) break;
        stops++;
        await judge(made, at);
        await rm(join(temp.path, at), { recursive: true });
      }
    }
    return stops;
  }

  it("in applySwap: goes on to the new state, or back to the old one", async () => {
    const { before, after } = await outcomes();
    let turn = 0;
    const stops = await sweep("apply", "signal=KILL", async ({ live, plan }, at) => {
      const onward = turn++ % 2 === 0;
      await (onward ? applySwap(plan) : revertSwap(plan));
      expect(withoutTimes(await look(live)), at).toEqual(withoutTimes(onward ? after : before));
      await revertSwap(plan);
      expect(withoutTimes(await look(live)), `${at}, then back`).toEqual(withoutTimes(before));
    });
    expect(stops).toBeGreaterThan(30);
  }, 300_000);

  it("in revertSwap: reaches the old state", async () => {
    const { before } = await outcomes();
    const stops = await sweep("revert", "signal=KILL", async ({ live, plan }, at) => {
      await revertSwap(plan);
      expect(withoutTimes(await look(live)), at).toEqual(withoutTimes(before));
    });
    expect(stops).toBeGreaterThan(30);
  }, 300_000);

  it("works where hard links are refused", async () => {
    const { after } = await outcomes();
    const made = await swapCase(join(temp.path, "nolink"));
    const file = join(temp.path, "plan.json");
    await writeFile(file, JSON.stringify(swapPlanToJson(made.plan)));
    const program = join(import.meta.dirname, "apply-plan.mjs");
    expect((await runWithFault("link", "error=EPERM", "1+", [program, "apply", file])).code).toBe(0);
    expect(withoutTimes(await look(made.live))).toEqual(withoutTimes(after));
    expect((await runWithFault("link", "error=EPERM", "1+", [program, "revert", file])).code).toBe(0);
  });
});
