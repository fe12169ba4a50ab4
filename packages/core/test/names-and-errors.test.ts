import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ERROR_CODES,
  errnoOf,
  fromSystemError,
  isAbortError,
  isErrorCode,
  isKeepsakeError,
  isSnapshotId,
  KeepsakeError,
  NOBODY,
  parseAgentId,
  parseSnapshotId,
  parseTenantId,
} from "../src/index.js";

describe("ids", () => {
  it.each(["a", "0", "ana", "a-b_c", "a".repeat(64), "console", "com10"])("%j names an agent and a tenant", (id) => {
    expect(parseAgentId(id)).toBe(id);
    expect(parseTenantId(id)).toBe(id);
  });

  it.each([
    "",
    "A",
    "-a",
    "a-",
    "_a",
    "a_",
    "a".repeat(65),
    "a.b",
    "a/b",
    "..",
    "a b",
    "\u00e9",
    "con",
    "nul",
    "lpt1",
    "a\n",
    NOBODY,
  ])("%j names neither", (id) => {
    expect(() => parseAgentId(id)).toThrow(expect.objectContaining({ code: "E_INVALID_ID" }));
    expect(() => parseTenantId(id)).toThrow(expect.objectContaining({ code: "E_INVALID_ID" }));
  });

  it("of snapshots are UUIDs of version 7 in lower case, and nothing else", () => {
    const good = "0190a3d0-1234-7abc-8def-0123456789ab";
    expect(parseSnapshotId(good)).toBe(good);
    for (const bad of [
      good.toUpperCase(),
      good.replace("7abc", "4abc"),
      good.replace("8def", "cdef"),
      `${good}\n`,
      "",
      "latest",
    ]) {
      expect(isSnapshotId(bad)).toBe(false);
      expect(() => parseSnapshotId(bad)).toThrow(expect.objectContaining({ code: "E_INVALID_ID" }));
    }
    fc.assert(fc.property(fc.uuid({ version: 7 }), (id) => isSnapshotId(id)));
  });
});

describe("errors", () => {
  it("have a code, an exit code, an advice and a meaning each", () => {
    for (const [code, row] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^E_[A-Z_]+$/);
      expect([1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 130], code).toContain(row.exit);
      expect(row.meaning, code).toMatch(/^[a-z].*[^.]$/);
      expect(new KeepsakeError(code as keyof typeof ERROR_CODES, "x").retry).toBe(row.retry);
    }
    expect(isErrorCode("toString")).toBe(false);
    expect(new Set(Object.values(ERROR_CODES).map(({ meaning }) => meaning)).size).toBe(
      Object.keys(ERROR_CODES).length,
    );
  });

  it("are known again when they come from another copy of the package", () => {
    const foreign = Object.assign(new Error("x"), { name: "KeepsakeError", code: "E_IO" });
    expect(isKeepsakeError(foreign)).toBe(true);
    expect(isKeepsakeError(foreign, "E_LIMIT")).toBe(false);
    expect(isKeepsakeError(Object.assign(new Error("x"), { code: "E_IO" }))).toBe(false);
    expect(isKeepsakeError(Object.assign(new Error("x"), { name: "KeepsakeError", code: "E_NONE" }))).toBe(false);
  });

  it.each([
    ["ENOSPC", "E_NO_SPACE"],
    ["EACCES", "E_PERMISSION"],
    ["EROFS", "E_READ_ONLY"],
    ["ENOENT", "E_NOT_FOUND"],
    ["EEXIST", "E_ALREADY_EXISTS"],
    ["EIO", "E_IO"],
    ["EMFILE", "E_IO"],
  ])("of the system get a code: %s is %s", (errno, code) => {
    const cause = Object.assign(new Error("secret path"), { code: errno, syscall: "open" });
    expect(errnoOf(cause)).toBe(errno);
    const error = fromSystemError(cause, "It could not be done", { path: "x" });
    expect(error).toMatchObject({
      code,
      cause,
      message: `It could not be done (${errno}).`,
      context: { path: "x", errno },
    });
  });

  it("that have their meaning already pass unchanged", () => {
    const ours = new KeepsakeError("E_LIMIT", "x");
    expect(fromSystemError(ours, "y")).toBe(ours);
    const abort = AbortSignal.abort().reason as unknown;
    expect(isAbortError(abort)).toBe(true);
    expect(fromSystemError(abort, "y")).toBe(abort);
    expect(errnoOf(Object.assign(new Error("x"), { code: "ERR_INVALID_ARG_TYPE" }))).toBeUndefined();
  });
});
