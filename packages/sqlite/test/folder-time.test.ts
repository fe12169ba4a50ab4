import { mkdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { capture, collectEntries, make, place } from "./support.js";

const LONG_AGO = 1_600_000_000;

describe("the folder that a database with a log lies in", () => {
  it("keeps its time through a capture, also while it is open", async () => {
    await using at = await place();
    const folder = join(at.memory, "data");
    mkdirSync(folder);
    for (const name of ["a.db", "b.db"]) {
      make(join(folder, name), "PRAGMA journal_mode = WAL", "CREATE TABLE t (x)");
    }
    utimesSync(folder, LONG_AGO, LONG_AGO);
    const session = await sqlite().open(at.target());
    await session.pin();
    expect(statSync(folder).mtimeMs).toBe(LONG_AGO * 1000);
    await collectEntries(session);
    await session[Symbol.asyncDispose]();
    expect(statSync(folder).mtimeMs).toBe(LONG_AGO * 1000);
  });

  it("has a new time where something came into it meanwhile", async () => {
    await using at = await place();
    make(join(at.memory, "a.db"), "PRAGMA journal_mode = WAL", "CREATE TABLE t (x)");
    utimesSync(at.memory, LONG_AGO, LONG_AGO);
    const session = await sqlite().open(at.target());
    await session.pin();
    writeFileSync(join(at.memory, "new.md"), "new");
    await session[Symbol.asyncDispose]();
    expect(statSync(at.memory).mtimeMs).toBeGreaterThan(LONG_AGO * 1000);
    await capture(sqlite(), at.target());
  });
});
