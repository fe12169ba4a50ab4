import { chownSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { CaptureTarget, FileEntry, KnownFile } from "@keepsake/core";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { seeDatabase } from "../src/process/capture/seen-database.js";
import { bytesOf, capture, make, place, runKilled } from "./support.js";

const ROWS = "CREATE TABLE t (id INTEGER PRIMARY KEY, text); INSERT INTO t (text) VALUES ('one'), ('two')";

/** What was written just now is not marked: it is let grow older than a tick of the clock. */
async function grownOld(file: string): Promise<void> {
  const written = ["", "-wal"].map((suffix) => statSync(`${file}${suffix}`, { throwIfNoEntry: false })?.ctimeMs ?? 0);
  await expect.poll(() => Date.now()).toBeGreaterThan(Math.max(...written) + 50);
}

/** Captures the one database of a memory, and says how a later capture would know it. */
async function only(target: CaptureTarget): Promise<FileEntry> {
  const { entries } = await capture(sqlite(), target);
  const [entry] = entries.filter((one): one is FileEntry => one.type === "file");
  if (entry === undefined) throw new Error("there is no database");
  return entry;
}

function knownOf({ path, mark, facts }: FileEntry): ReadonlyMap<string, KnownFile> {
  return new Map(mark === undefined ? [] : [[path, { mark, sizeBytes: 1, facts }]]);
}

describe("a database that was captured before", () => {
  it.each(["wal", "delete"])("is known again in mode %s, with its facts, as often as it is asked for", async (mode) => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), ROWS, `PRAGMA journal_mode = ${mode}; PRAGMA user_version = 7`);
    await grownOld(file);
    const before = bytesOf(at.memory);
    let last = await only(at.target());
    expect(last.content).toHaveProperty("file");
    for (let time = 0; time < 2; time++) {
      const next = await only({ ...at.target(), known: knownOf(last) });
      expect(next).toMatchObject({
        content: { known: true },
        facts: last.facts,
        mode: last.mode,
        mtimeMs: last.mtimeMs,
      });
      last = next;
    }
    expect(bytesOf(at.memory)).toEqual(before);
  });

  it("is known beside the log of an agent that lives, until that commits", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), ROWS, "PRAGMA journal_mode = wal");
    const agent = new Database(file);
    try {
      agent.exec("INSERT INTO t (text) VALUES ('in the log')");
      await grownOld(file);
      const first = await only(at.target());
      expect((await only({ ...at.target(), known: knownOf(first) })).content).toEqual({ known: true });
      agent.exec("UPDATE t SET text = 'in THE log' WHERE text = 'in the log'");
      expect((await only({ ...at.target(), known: knownOf(first) })).content).toHaveProperty("file");
    } finally {
      agent.close();
    }
  });

  it("is known although the owner of its log was set again", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), ROWS, "PRAGMA journal_mode = wal");
    const agent = new Database(file);
    try {
      agent.exec("INSERT INTO t (text) VALUES ('in the log')");
      await grownOld(file);
      const first = await only(at.target());
      const log = `${file}-wal`;
      const { uid, gid, ctimeNs } = statSync(log, { bigint: true });
      chownSync(log, Number(uid), Number(gid));
      expect(statSync(log, { bigint: true }).ctimeNs).not.toBe(ctimeNs);
      expect((await only({ ...at.target(), known: knownOf(first) })).content).toEqual({ known: true });
    } finally {
      agent.close();
    }
  });

  it("is known beside the log that a killed writer left", async () => {
    await using at = await place();
    const file = join(at.memory, "killed.db");
    runKilled("wal", file);
    await grownOld(file);
    const first = await only(at.target());
    expect((await only({ ...at.target(), known: knownOf(first) })).content).toEqual({ known: true });
  });

  it("is not marked when it was written just now", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), ROWS);
    // As many tries as it takes: a slow machine may let it grow old before it is looked at.
    await expect
      .poll(
        async () => {
          const connection = new Database(file);
          connection.exec("INSERT INTO t (text) VALUES ('now')");
          connection.close();
          const { ctimeMs } = statSync(file);
          const seen = seeDatabase(file);
          return Date.now() - ctimeMs < 10 ? seen : "too late";
        },
        { interval: 1, timeout: 30_000 },
      )
      .toBeUndefined();
  });

  it("is not marked where it cannot be looked at, and that fails nothing", async () => {
    await using at = await place();
    symlinkSync("loop", join(at.memory, "loop"));
    expect(() => statSync(join(at.memory, "loop"))).toThrow("ELOOP");
    expect(seeDatabase(join(at.memory, "loop"))).toBeUndefined();
  });

  it("is read when its mark is another", async () => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), ROWS);
    await grownOld(file);
    const first = await only(at.target());
    const known = new Map([["a.db", { mark: `${String(first.mark)}1`, sizeBytes: 1 }]]);
    expect((await only({ ...at.target(), known })).content).toHaveProperty("file");
  });
});
