import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { keepsakeCase } from "./support/keepsake-case.js";
import { RunningProgram } from "./support/running-program.js";

const AGENT = { agent: "ana" };
/** A SQLite source that leaves `other.db` to whoever takes the other files. */
const NAMED_ALONE = [{ use: "sqlite", include: ["main.db"] }, { use: "memdir" }];

function make(file: string, mode: string): void {
  execFileSync("sqlite3", [file, `PRAGMA journal_mode=${mode}; CREATE TABLE t (a); INSERT INTO t VALUES ('first')`]);
}

function rowsOf(file: string): string[] {
  return execFileSync("sqlite3", [file, "SELECT a FROM t ORDER BY rowid"], { encoding: "utf8" }).trim().split("\n");
}

/** A program that has the database open, until it is disposed, and commits a row when told to. */
async function holderOf(file: string) {
  const program = RunningProgram.start("sqlite3", "-batch", file);
  const tell = async (sql: string): Promise<void> => {
    const before = program.lines.length;
    program.send(`.timeout 5000\n${sql};\nSELECT 'done';\n`);
    await program.told(before + 1);
  };
  await tell("CREATE TABLE IF NOT EXISTS mine (a)");
  return {
    commit: (text: string) => tell(`INSERT INTO t VALUES ('${text}')`),
    async end() {
      program.send(".quit\n");
      await program.closed();
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

describe("a database that no sqlite source takes", () => {
  it.each(["wal", "delete"])("is not exchanged under the process that has it open, in mode %s", async (mode) => {
    await using at = await keepsakeCase({ sources: NAMED_ALONE });
    const file = join(at.memory, "other.db");
    make(join(at.memory, "main.db"), "wal");
    make(file, mode);
    const { record } = await at.keepsake.snapshot(AGENT);
    await using holder = await holderOf(file);
    await holder.commit("later");
    await expect(at.keepsake.restore({ ...AGENT, ref: record.id })).rejects.toMatchObject({
      code: "E_LIVE_HOLDER",
      context: { database: file },
    });
    await holder.commit("last");
    expect(rowsOf(file)).toEqual(["first", "later", "last"]);
    await holder.end();
    await at.keepsake.restore({ ...AGENT, ref: record.id });
    expect(rowsOf(file)).toEqual(["first"]);
  });

  it("is not removed under the process that has it open, alone or with its folder", async () => {
    await using at = await keepsakeCase({ sources: NAMED_ALONE });
    make(join(at.memory, "main.db"), "wal");
    const { record } = await at.keepsake.snapshot(AGENT);
    await writeFile(join(at.memory, "note.md"), "new\n");
    const folder = join(at.memory, "later");
    execFileSync("mkdir", [folder]);
    make(join(folder, "other.db"), "wal");
    await using holder = await holderOf(join(folder, "other.db"));
    await expect(at.keepsake.restore({ ...AGENT, ref: record.id })).rejects.toMatchObject({ code: "E_LIVE_HOLDER" });
    expect((await readdir(at.memory)).sort()).toEqual(["later", "main.db", "note.md"]);
    await holder.commit("later");
    expect(rowsOf(join(folder, "other.db"))).toEqual(["first", "later"]);
    await holder.end();
    await at.keepsake.restore({ ...AGENT, ref: record.id });
    expect(await readdir(at.memory)).toEqual(["main.db"]);
  });

  it("keeps the locks that this process has on it, and is named as not captured", async () => {
    await using at = await keepsakeCase({ sources: NAMED_ALONE });
    make(join(at.memory, "main.db"), "wal");
    const file = join(at.memory, "other.db");
    make(file, "delete");
    const own = new Database(file);
    try {
      own.exec("BEGIN IMMEDIATE");
      const { record, manifest } = await at.keepsake.snapshot({ ...AGENT, allowPartial: true });
      expect(record.complete).toBe(false);
      expect(manifest?.omitted).toMatchObject([{ path: "other.db", reason: "unreadable", code: "E_SOURCE_BUSY" }]);
      // Were the lock gone, another program could write now.
      expect(() => execFileSync("sqlite3", [file, "INSERT INTO t VALUES ('intruder')"], { stdio: "pipe" })).toThrow(
        /locked/,
      );
      own.exec("INSERT INTO t VALUES ('own'); COMMIT");
    } finally {
      own.close();
    }
    expect(rowsOf(file)).toEqual(["first", "own"]);
  });

  it("does not exist with the preset nexo: it takes databases of other names, too", async () => {
    await using at = await keepsakeCase({ preset: "nexo" });
    for (const name of ["long_term", "vector", "concepts", "compactions"]) {
      make(join(at.memory, `${name}.sqlite`), "wal");
    }
    const file = join(at.memory, "other.db");
    make(file, "wal");
    const { record, manifest } = await at.keepsake.snapshot(AGENT);
    const kinds = manifest?.artifacts.map(({ pathInBundle, kind }) => `${pathInBundle} ${kind}`);
    expect(kinds).toEqual([
      "sqlite/compactions.sqlite sqlite_compactions",
      "sqlite/concepts.sqlite sqlite_concepts",
      "sqlite/long_term.sqlite sqlite_long_term",
      "sqlite/other.db sqlite",
      "sqlite/vector.sqlite sqlite_vector",
    ]);
    await using holder = await holderOf(file);
    await holder.commit("later");
    await expect(at.keepsake.restore({ ...AGENT, ref: record.id })).rejects.toMatchObject({ code: "E_LIVE_HOLDER" });
    await at.keepsake.restore({ ...AGENT, ref: record.id, live: true });
    await holder.commit("last");
    await holder.end();
    expect(rowsOf(file)).toEqual(["first", "last"]);
    expect(existsSync(`${file}-wal`)).toBe(false);
  });
});
