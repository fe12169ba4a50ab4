import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SnapshotResult } from "@keepsake/engine";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { execute } from "./support/execute.js";
import { type KeepsakeCase, keepsakeCase } from "./support/keepsake-case.js";
import { havePrograms } from "./support/programs.js";
import { RunningProgram } from "./support/running-program.js";
import { storedFiles, unpackByPrograms } from "./support/unpack-by-programs.js";

const agent = "ana";
const tools = havePrograms("zstd", "tar", "sqlite3");

function makeCounter(file: string, mode: string, n = 0): void {
  const database = new Database(file);
  database.pragma(`journal_mode = ${mode}`);
  database.exec(`CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (${String(n)})`);
  database.close();
}

/** Runs the sqlite3 program with these commands; it ends with the first one that fails. */
function sqlite3(file: string, commands: readonly string[]): RunningProgram {
  const program = RunningProgram.start("sqlite3", file);
  program.send(`${[".bail on", ".timeout 10000", ...commands].join("\n")}\n`);
  return program;
}

async function numberIn(file: string, sql = "SELECT n FROM counter"): Promise<string> {
  return (await execute("sqlite3", [file, sql])).stdout.toString().trim();
}

/** Unpacks a snapshot by other programs. @returns the folder */
function unpack({ stateRoot, temp }: KeepsakeCase, { record }: SnapshotResult): Promise<string> {
  return unpackByPrograms(storedFiles(stateRoot, record.bundlePath).bundle, temp.join(`u${record.id}`));
}

/** Shows that nothing stayed locked, and that no sidecar is there that was not. */
async function expectUntouched(memory: string, before: readonly string[]): Promise<void> {
  expect((await readdir(memory)).sort()).toEqual([...before].sort());
  for (const name of before.filter((one) => one.endsWith(".sqlite"))) {
    await execute("sqlite3", [join(memory, name), "PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE; ROLLBACK"]);
  }
}

describe.runIf(tools)("a snapshot beside other programs", () => {
  it.each(["wal", "delete"])(
    "waits for a long transaction, names its database in the end, and never makes it fail, in mode %s",
    async (mode) => {
      await using box = await keepsakeCase({ cut: { attempts: 3, hold_timeout_ms: 30 } });
      for (const name of ["a", "b"]) makeCounter(join(box.memory, `${name}.sqlite`), mode);
      const before = await readdir(box.memory);
      const go = box.temp.join("go");
      const long = ["BEGIN IMMEDIATE;", "UPDATE counter SET n = n + 1;", ".print begun"];
      const wait = `.shell until test -e ${go}; do sleep 0.02; done`;
      const writer = sqlite3(join(box.memory, "b.sqlite"), [...long, wait, "COMMIT;", ".print done", ".exit"]);
      await using _writer = writer;
      await writer.told(1);
      await expect(box.keepsake.snapshot({ agent })).rejects.toMatchObject({
        code: "E_SOURCE_BUSY",
        context: { database: "b.sqlite", attempts: 3 },
      });
      await writeFile(go, "");
      await writer.told(2);
      await writer.closed();
      const taken = await box.keepsake.snapshot({ agent });
      expect(taken.manifest?.cut).toMatchObject({ consistency: "instant", heldMs: expect.any(Number) as number });
      expect(await numberIn(join(await unpack(box, taken), "sqlite/b.sqlite"))).toBe("1");
      await expectUntouched(box.memory, before);
    },
  );

  it("succeeds in the end when a transaction outlasts its first attempts", async () => {
    await using box = await keepsakeCase({ cut: { attempts: 1000, hold_timeout_ms: 20 } });
    makeCounter(join(box.memory, "a.sqlite"), "wal");
    const before = await readdir(box.memory);
    const go = box.temp.join("go");
    const long = ["BEGIN IMMEDIATE;", "UPDATE counter SET n = n + 1;", ".print begun"];
    const wait = `.shell until test -e ${go}; do sleep 0.02; done`;
    await using writer = sqlite3(join(box.memory, "a.sqlite"), [...long, wait, "COMMIT;", ".print done", ".exit"]);
    await writer.told(1);
    const taking = box.keepsake.snapshot({ agent });
    await stagedFolders(box, 4);
    await writeFile(go, "");
    const taken = await taking;
    expect(taken.manifest?.cut?.attempts).toBeGreaterThan(1);
    expect(await numberIn(join(await unpack(box, taken), "sqlite/a.sqlite"))).toBe("1");
    await writer.closed();
    await expectUntouched(box.memory, before);
  });

  it("has no deadlock with writers that lock in the opposite order, and nobody fails", async () => {
    await using box = await keepsakeCase({ cut: { attempts: 100 } });
    for (const name of ["a", "b"]) makeCounter(join(box.memory, `${name}.sqlite`), "wal");
    const before = await readdir(box.memory);
    const turn = ["BEGIN IMMEDIATE;", "UPDATE main.counter SET n = n + 1;", "UPDATE a.counter SET n = n + 1;"];
    const turns = Array.from({ length: 50_000 }, () => [...turn, "COMMIT;", "SELECT n FROM a.counter;"]).flat();
    const attach = `ATTACH '${join(box.memory, "a.sqlite")}' AS a;`;
    {
      await using writer = sqlite3(join(box.memory, "b.sqlite"), [attach, ...turns]);
      await writer.told(10);
      for (let count = 0; count < 4; count++) {
        const taken = await box.keepsake.snapshot({ agent });
        const unpacked = await unpack(box, taken);
        const numbers = await Promise.all(["a", "b"].map((name) => numberIn(join(unpacked, `sqlite/${name}.sqlite`))));
        expect(numbers[0]).toBe(numbers[1]);
        expect(taken.manifest?.cut).toMatchObject({ consistency: "instant", heldMs: expect.any(Number) as number });
      }
      const told = writer.lines.length;
      await writer.told(told + 10);
      expect(writer.ended).toBe(false);
    }
    // The writer was killed, and left its log; who opens it next clears it away.
    for (const name of ["a", "b"]) await numberIn(join(box.memory, `${name}.sqlite`));
    await expectUntouched(box.memory, before);
  });

  it("is one instant while other programs move the logs into the databases, and none of them fails", async () => {
    await using box = await keepsakeCase({ cut: { attempts: 50 } });
    for (const name of ["a", "b"]) makeCounter(join(box.memory, `${name}.sqlite`), "wal");
    const turn = [
      "BEGIN IMMEDIATE;",
      "UPDATE main.counter SET n = n + 1;",
      "UPDATE b.counter SET n = n + 1;",
      "COMMIT;",
    ];
    const turns = Array.from({ length: 50_000 }, () => [...turn, "SELECT n FROM counter;"]).flat();
    const checkpoint = ["PRAGMA main.wal_checkpoint(TRUNCATE);", "PRAGMA b.wal_checkpoint(RESTART);"];
    const checkpoints = Array.from({ length: 50_000 }, () => checkpoint).flat();
    const attach = `ATTACH '${join(box.memory, "b.sqlite")}' AS b;`;
    await using writer = sqlite3(join(box.memory, "a.sqlite"), [attach, ...turns]);
    await using keeper = sqlite3(join(box.memory, "a.sqlite"), [attach, ...checkpoints]);
    await Promise.all([writer.told(10), keeper.told(10)]);
    for (let count = 0; count < 4; count++) {
      const unpacked = await unpack(box, await box.keepsake.snapshot({ agent }));
      const numbers = await Promise.all(["a", "b"].map((name) => numberIn(join(unpacked, `sqlite/${name}.sqlite`))));
      expect(numbers[0]).toBe(numbers[1]);
      expect(await numberIn(join(unpacked, "sqlite/a.sqlite"), "PRAGMA integrity_check")).toBe("ok");
    }
    await Promise.all([writer.told(writer.lines.length + 5), keeper.told(keeper.lines.length + 5)]);
  });

  it("has a database that comes and goes meanwhile as it is, or not at all", async () => {
    await using box = await keepsakeCase({ cut: { attempts: 100 } });
    makeCounter(join(box.memory, "stays.sqlite"), "wal", 1);
    await mkdir(box.temp.join("ready"));
    makeCounter(box.temp.join("ready/other.sqlite"), "wal", 7);
    const churn = `while true; do cp ready/other.sqlite ready/next; mv ready/next memory/comes.sqlite; echo came
      sleep 0.0$((RANDOM % 9)); rm memory/comes.sqlite; echo went; sleep 0.0$((RANDOM % 9)); done`;
    await using program = RunningProgram.start("bash", "-c", `cd ${box.temp.path}; ${churn}`);
    await program.told(4);
    const seen: string[] = [];
    for (let count = 0; count < 6; count++) {
      const taken = await box.keepsake.snapshot({ agent });
      const unpacked = await unpack(box, taken);
      expect(await numberIn(join(unpacked, "sqlite/stays.sqlite"))).toBe("1");
      const paths = taken.manifest?.artifacts.map(({ pathInBundle }) => pathInBundle) ?? [];
      for (const path of paths.filter((one) => one.endsWith("comes.sqlite"))) {
        seen.push(path);
        expect(await numberIn(join(unpacked, path))).toBe("7");
      }
      for (const { path, reason } of taken.manifest?.omitted ?? [])
        expect([path, reason]).toEqual(["comes.sqlite", "vanished"]);
    }
    console.log(`came into ${String(seen.length)} of 6 snapshots: ${seen.join(" ")}`);
    expect(program.ended).toBe(false);
  });

  it("of two agents that share their databases, at the same time, is one instant each", async () => {
    await using box = await keepsakeCase({ cut: { attempts: 100 } });
    for (const name of ["a", "b"]) makeCounter(join(box.memory, `${name}.sqlite`), "wal");
    const turn = [
      "BEGIN IMMEDIATE;",
      "UPDATE main.counter SET n = n + 1;",
      "UPDATE b.counter SET n = n + 1;",
      "COMMIT;",
    ];
    const turns = Array.from({ length: 50_000 }, () => [...turn, "SELECT n FROM counter;"]).flat();
    const attach = `ATTACH '${join(box.memory, "b.sqlite")}' AS b;`;
    await using writer = sqlite3(join(box.memory, "a.sqlite"), [attach, ...turns]);
    await writer.told(10);
    for (let count = 0; count < 2; count++) {
      const both = await Promise.all([agent, "bob"].map((one) => box.keepsake.snapshot({ agent: one })));
      for (const taken of both) {
        const unpacked = await unpack(box, taken);
        const numbers = await Promise.all(["a", "b"].map((name) => numberIn(join(unpacked, `sqlite/${name}.sqlite`))));
        expect(numbers[0]).toBe(numbers[1]);
      }
    }
    await writer.told(writer.lines.length + 5);
  });

  it.runIf(process.getuid?.() === 0)("of a file system that is read-only, with a log and without", async () => {
    await using box = await keepsakeCase();
    await execute("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", box.memory]);
    try {
      makeCounter(join(box.memory, "rested.sqlite"), "wal", 1);
      makeCounter(join(box.memory, "plain.sqlite"), "delete", 2);
      const logged = new Database(join(box.memory, "logged.sqlite"));
      logged.pragma("journal_mode = WAL");
      logged.exec("CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (3)");
      // As a crash leaves it: the row is in the log alone.
      for (const suffix of ["", "-wal", "-shm"]) {
        await execute("cp", [join(box.memory, `logged.sqlite${suffix}`), join(box.memory, `left.sqlite${suffix}`)]);
      }
      logged.close();
      await writeFile(join(box.memory, "note.md"), "note\n");
      await execute("mount", ["-o", "remount,ro", box.memory]);
      const before = await contentOf(box.memory);
      const taken = await box.keepsake.snapshot({ agent });
      expect(await contentOf(box.memory)).toEqual(before);
      const unpacked = await unpack(box, taken);
      const numbers = ["rested", "plain", "logged", "left"].map((name) =>
        numberIn(join(unpacked, `sqlite/${name}.sqlite`)),
      );
      expect(await Promise.all(numbers)).toEqual(["1", "2", "3", "3"]);
      expect(taken.manifest?.omitted).toEqual([]);
      expect(taken.manifest?.cut).toMatchObject({ consistency: "instant", heldMs: expect.any(Number) as number });
    } finally {
      await execute("umount", ["-l", box.memory]);
    }
  });
});

/** Waits until the snapshot that is being taken has made so many folders: each attempt makes its own. */
async function stagedFolders({ temp, stateRoot }: KeepsakeCase, count: number): Promise<void> {
  const place = join(stateRoot, "staging/default", agent);
  for (let tries = 0; tries < 3_000; tries++) {
    const operations = await readdir(place).catch(() => []);
    for (const operation of operations) {
      const names = await readdir(join(place, operation)).catch(() => []);
      if (names.some((name) => Number.parseInt(name, 10) >= count)) return;
    }
    await delay(10);
  }
  throw new Error(`no ${String(count)} folders were made in ${temp.path}`);
}

async function contentOf(dir: string): Promise<Readonly<Record<string, string>>> {
  const content: Record<string, string> = {};
  for (const name of (await readdir(dir)).sort()) content[name] = (await readFile(join(dir, name))).toString("base64");
  return content;
}
