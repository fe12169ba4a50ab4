import { readFile } from "node:fs/promises";
import { ERROR_CODES, type ErrorCode, KeepsakeError } from "@keepsake/core";
import { describe, expect, it } from "vitest";
import { errorDocument } from "../src/errors/describe-error.js";
import { exitCodeOf } from "../src/errors/exit-code.js";

const codes = Object.keys(ERROR_CODES) as ErrorCode[];

describe("the error codes", () => {
  it("stand in docs/errors.md as core has them: no code more, none less, same exit, advice and meaning", async () => {
    const text = await readFile(new URL("../../../docs/errors.md", import.meta.url), "utf8");
    const rows = [...text.matchAll(/^\| `(E_[A-Z_]+)` *\| *(\d+) \| (\w+) *\| (.*?) *\|$/gm)];
    const documented = rows.map(([, code, exit, retry, meaning]) => ({ code, exit: Number(exit), retry, meaning }));
    expect(documented).toEqual(codes.map((code) => ({ code, ...ERROR_CODES[code] })));
  });

  it("and only they decide the exit code, which docs/errors.md explains", async () => {
    const text = await readFile(new URL("../../../docs/errors.md", import.meta.url), "utf8");
    const explained = [...text.matchAll(/^\| +(\d+) \|/gm)].map(([, exit]) => Number(exit));
    const used = new Set([0, 130, ...codes.map((code) => ERROR_CODES[code].exit)]);
    expect(explained).toEqual([...used].sort((a, b) => a - b));
    for (const code of codes) expect(exitCodeOf(new KeepsakeError(code, "x"))).toBe(ERROR_CODES[code].exit);
  });

  it("are joined by an abort, and by what nobody foresaw", () => {
    expect(exitCodeOf(AbortSignal.abort().reason)).toBe(130);
    expect(exitCodeOf(new TypeError("x"))).toBe(1);
    expect(exitCodeOf("thrown text")).toBe(1);
    expect(errorDocument(AbortSignal.abort().reason)).toMatchObject({ error: { code: "ABORT_ERR" } });
    expect(errorDocument(new TypeError("x"))).toMatchObject({ error: { code: "E_INTERNAL", message: "TypeError: x" } });
  });

  it("travel with message, hint and context", () => {
    const error = new KeepsakeError("E_LOCKED", "Locked.", { hint: "Wait.", context: { pid: 7 } });
    expect(errorDocument(error)).toEqual({
      error: { code: "E_LOCKED", message: "Locked.", hint: "Wait.", context: { pid: 7 } },
    });
    expect(errorDocument(new KeepsakeError("E_IO", "No."))).toEqual({
      error: { code: "E_IO", message: "No.", context: {} },
    });
  });
});
