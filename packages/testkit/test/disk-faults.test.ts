import { spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import type { DiskFault } from "../src/faults/disk-fault.js";
import { DiskFaults } from "../src/faults/disk-faults.js";
import { pointsOf } from "../src/faults/disk-point.js";
import { sweep, type SweepReport } from "../src/faults/sweep.js";
import { type TempDir, tempDir } from "../src/temp-dir.js";

const PROGRAM = fileURLToPath(new URL("fixtures/save.mjs", import.meta.url));
const OLD = "old\n";
const NEW = "new\n".repeat(1000);

async function ground(): Promise<TempDir> {
  const dir = await tempDir();
  await writeFile(dir.join("notes"), OLD);
  return dir;
}

const program = (how: string, dir: TempDir) => ({ argv: [process.execPath, PROGRAM, how, dir.join("notes")] as const });

async function sweepOf(how: string, kinds: readonly DiskFault[]): Promise<SweepReport> {
  await using faults = await DiskFaults.prepare();
  return await sweep({
    name: how,
    faults: kinds,
    prepare: ground,
    run: (dir, strike) => faults.run(program(how, dir), { within: dir.path, strike }),
    async judge(dir, { run }) {
      const now = await readFile(dir.join("notes"), "utf8");
      expect([OLD, NEW]).toContain(now);
      if (run.said === "saved\n") expect(now).toBe(NEW);
    },
  });
}

describe("a sweep", () => {
  it("finds a file that is half written when the program is killed", async () => {
    const { failures, strikes, calls } = await sweepOf("naive", [{ kill: "caller" }]);
    // Emptied, then written: between them there is neither the old nor the new.
    expect({ strikes, calls, failures: failures.length }).toEqual({ strikes: { killed: 2 }, calls: 2, failures: 1 });
    expect(failures[0]).toContain("naive, killed at call 2, write ");
  });

  it("finds an error that nobody noticed, and no fault in a program that is careful", async () => {
    const kinds: DiskFault[] = [
      { kill: "caller" },
      { error: "EIO" },
      { error: "ENOSPC", thenOn: true },
      { short: true },
    ];
    const careless = await sweepOf("careless", kinds);
    expect(careless.failures).toEqual([expect.stringContaining("careless, EIO at call 2, write ")]);
    const careful = await sweepOf("careful", kinds);
    expect(careful.failures).toEqual([]);
    // Killed after the sync it leaves what it leaves killed before it; failing is another matter.
    expect(careful.summary).toBe(
      "careful: 4 calls, 4 points, 12 strikes (killed 3, EIO 4, ENOSPC from then on 4, short write 1), 0 elsewhere, 0 failures",
    );
  });

  it("strikes helpers too, and their parent while they live", async () => {
    const both = await sweepOf("helper", [{ kill: "caller" }, { kill: "main" }]);
    expect(both.failures).toEqual([]);
    expect(both.strikes).toEqual({ killed: 4, "its parent killed": 3 });
  });

  it("finds a call again that comes later than it did, where a fault befalls only some", async () => {
    await using faults = await DiskFaults.prepare();
    const script = `
      const { mkdirSync, writeFileSync } = require("node:fs");
      const [, file, before] = process.argv;
      for (const name of before ?? "") mkdirSync(file + "." + name);
      writeFileSync(file, "new");`;
    const { failures, strikes } = await sweep({
      name: "late",
      faults: [{ short: true }],
      prepare: ground,
      run: (dir, strike) => {
        // As a part does that works at the same time, and is sometimes the first.
        const before = strike === undefined ? [] : ["abc"];
        const argv = [process.execPath, "-e", script, dir.join("notes"), ...before] as const;
        return faults.run({ argv }, { within: dir.path, strike });
      },
      judge: (_dir, { point, run }) => {
        expect(run.calls.filter(({ struck }) => struck)).toMatchObject([{ name: "write" }]);
        expect(point.call.struck).toBe(true);
      },
    });
    expect({ failures, strikes }).toEqual({ failures: [], strikes: { "short write": 1 } });
  });

  it("takes as many points as it is told, evenly", async () => {
    await using faults = await DiskFaults.prepare();
    const struck: number[] = [];
    await sweep({
      name: "some",
      faults: [{ error: "EIO" }],
      pointsOfEach: 3,
      prepare: ground,
      run: (dir, strike) => faults.run(program("every", dir), { within: dir.path, strike }),
      judge: (_dir, { point }) => void struck.push(point.call.ordinal),
    });
    expect(struck).toHaveLength(3);
    expect(struck[0]).toBe(1);
  });
});

describe("a run", () => {
  it("counts what the kernel is asked, of every thread and process", async ({ skip }) => {
    const names =
      "write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat";
    const more =
      "mkdir,mkdirat,rmdir,truncate,ftruncate,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,utimensat,symlink,symlinkat,copy_file_range,sendfile,openat,open,creat,fallocate";
    const traced = [...names.split(","), ...more.split(",")].map((name) => `?${name}`).join(",");
    if (spawnSync("strace", ["-V"]).status !== 0) {
      if (process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1") throw new Error("strace is required");
      skip("needs strace");
    }
    await using dir = await ground();
    await using log = await tempDir();
    await using faults = await DiskFaults.prepare();
    const { argv } = program("every", dir);
    const strace = ["strace", "-f", "-y", "-qq", "-o", log.join("log"), "-e", `trace=${traced}`] as const;
    const { calls, said, stderr } = await faults.run({ argv: [...strace, ...argv] }, { within: dir.path });
    expect({ said, stderr }).toEqual({ said: "saved\n", stderr: "" });
    const seen = seenByKernel(await readFile(log.join("log"), "utf8"), dir.path);
    expect(countsOf(calls.map(({ name }) => kernelName(name)))).toEqual(countsOf(seen));
    expect(calls.length).toBeGreaterThan(30);
  });

  it("does not count what changes nothing", async () => {
    await using dir = await ground();
    await using faults = await DiskFaults.prepare();
    const run = await faults.run(program("nothing", dir), { within: dir.path });
    expect(run).toMatchObject({ said: "saved\n", stderr: "", calls: [] });
  });

  it("with a short write has really written the half that was reported", async () => {
    await using dir = await ground();
    await using faults = await DiskFaults.prepare();
    const strike = { at: 2, fault: { short: true } } as const;
    const { calls } = await faults.run(program("careful", dir), { within: dir.path, strike });
    const writes = calls.filter(({ name }) => name === "write");
    expect(writes.map(({ bytes, struck }) => ({ bytes, struck }))).toEqual([
      { bytes: 4000, struck: true },
      { bytes: 2000, struck: false },
    ]);
    expect(await readFile(dir.join("notes"), "utf8")).toBe(NEW);
  });

  it("tells what is missing where there is no compiler", async () => {
    vi.stubEnv("CC", "no-such-compiler");
    await expect(DiskFaults.prepare()).rejects.toThrow(
      "Disk faults need a C compiler, and no-such-compiler did not do",
    );
    vi.unstubAllEnvs();
  });

  it("of a resident program is one question; another is started when one was killed", async () => {
    await using dir = await ground();
    await using faults = await DiskFaults.prepare();
    await using resident = faults.resident({ argv: [process.execPath, PROGRAM, "resident"] });
    const ask = (at?: number) =>
      resident.ask(dir.join("notes"), {
        within: dir.path,
        strike: at === undefined ? undefined : { at, fault: { kill: "caller" } },
      });
    expect(await ask()).toMatchObject({
      said: "old",
      calls: [{ ordinal: 1 }, { ordinal: 2, name: "write", bytes: 4000 }],
    });
    expect(await ask()).toMatchObject({ said: "new" });
    const killed = await ask(2);
    expect(killed).toMatchObject({ said: "", ended: { signal: "SIGKILL" } });
    expect(killed.calls.map(({ struck }) => struck)).toEqual([false, true]);
    expect(await ask()).toMatchObject({ said: "", calls: [{ ordinal: 1 }, { ordinal: 2 }] });
    expect(await readdir(dir.path)).toEqual(["notes"]);
  });

  it("has points for every call, and three for a long run of writes into one file", () => {
    const call = (ordinal: number, name: string, path: string) => ({
      ordinal,
      pid: 1,
      inHelper: false,
      name,
      path,
      takesRoom: true,
      struck: false,
    });
    const calls = [
      call(1, "mkdir", "/a"),
      ...Array.from({ length: 10 }, (_value, index) => call(2 + index, "write", "/a/f")),
      call(12, "write", "/a/g"),
      call(13, "fsync", "/a/g"),
      call(14, "fsync", "/a/g"),
    ];
    const points = pointsOf(calls);
    expect(points.map(({ call: { ordinal }, standsFor }) => [ordinal, standsFor])).toEqual([
      [1, 1],
      [2, 1],
      [7, 8],
      [11, 1],
      [12, 1],
      [13, 1],
      [14, 1],
    ]);
    expect(points.filter(({ followsSync }) => followsSync).map(({ call: { ordinal } }) => ordinal)).toEqual([14]);
  });
});

/** Our names are those of the C library. */
function kernelName(name: string): string {
  const plain = name.replace(/64$/, "");
  if (plain === "pwrite") return "pwrite64";
  if (plain === "open") return "openat";
  if (/^(futimens|l?utimes|utime)$/.test(plain)) return "utimensat";
  if (plain === "mkdtemp") return "mkdir";
  return plain;
}

/** The calls of a trace that changed something in the folder, with opens that make or empty a file only. */
function seenByKernel(log: string, dir: string): string[] {
  const made = new Set<string>();
  const isRoot = process.getuid?.() === 0;
  return wholeLines(log).flatMap((line) => {
    const [, name = "", rest = ""] = /^\d+ +([a-z0-9_]+)\((.*)$/.exec(line) ?? [];
    if (!rest.includes(dir) || rest.includes(" = -1 ")) return [];
    if (name.endsWith("chown") && !isRoot) return [];
    if (!name.startsWith("open")) return [name];
    const path = /"([^"]*)"/.exec(rest)?.[1] ?? "";
    const changes = rest.includes("O_TRUNC") || (rest.includes("O_CREAT") && !made.has(path));
    if (changes) made.add(path);
    return changes ? [name] : [];
  });
}

/** A call during which another thread's was told stands in two lines: its end is put behind its beginning. */
function wholeLines(log: string): string[] {
  const lines = log.split("\n");
  return lines.map((line, index) => {
    const [, pid, begun] = /^(\d+) +(.*) <unfinished \.\.\.>$/.exec(line) ?? [];
    if (pid === undefined || begun === undefined) return line;
    const end = lines.slice(index + 1).find((later) => later.startsWith(`${pid} `) && later.includes(" resumed>"));
    return `${pid} ${begun}${end?.replace(/^.* resumed>/, "") ?? ""}`;
  });
}

function countsOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
