import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SIZE_MIB = 200;

describe("memory", () => {
  it("does not grow with the size of what passes through", () => {
    const program = fileURLToPath(new URL("./memory.program.mjs", import.meta.url));
    const output = execFileSync(process.execPath, [program, String(SIZE_MIB)], { encoding: "utf8" });
    const { size, grewMiB } = JSON.parse(output) as { size: number; grewMiB: number };
    expect(size).toBe(SIZE_MIB * 1024 * 1024);
    expect(grewMiB).toBeLessThan(SIZE_MIB / 2);
  });
});
