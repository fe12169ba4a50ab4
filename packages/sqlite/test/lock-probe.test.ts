import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isLocked } from "../src/process/restore/lock-probe.js";
import { bytesOf, make, place, start } from "./support.js";

describe("the lock probe", () => {
  it.each(["wal", "delete"])("tells a connection where the system lists none, in mode %s", async (mode) => {
    await using at = await place();
    const file = make(join(at.memory, "a.db"), "CREATE TABLE t (a)", `PRAGMA journal_mode = ${mode}`);
    const before = bytesOf(at.memory);
    expect(isLocked(file, "darwin")).toBe(false);
    expect(bytesOf(at.memory)).toEqual(before);
    {
      // Without a log, a connection that does nothing has no lock; one in a transaction does.
      await using _holder = await start("holder.mjs", file, mode === "wal" ? "SELECT 1" : "BEGIN IMMEDIATE");
      expect(isLocked(file, "darwin")).toBe(true);
    }
  });
});
