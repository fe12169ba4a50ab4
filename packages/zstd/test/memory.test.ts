import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("./memory.program.mjs", import.meta.url));

describe("memory", () => {
  for (const [backend, sizeMiB] of [
    ["native", 512],
    ["fzstd", 320],
  ] as const) {
    it(`does not grow with the size of what passes through (${backend})`, () => {
      const output = execFileSync(process.execPath, [program, String(sizeMiB), backend], { encoding: "utf8" });
      const { size, grewMiB } = JSON.parse(output) as { size: number; grewMiB: number };
      expect(size).toBe(sizeMiB * 1024 * 1024);
      expect(grewMiB).toBeLessThan(sizeMiB / 2);
    });
  }
});
