import { describe, expect, it } from "vitest";
import { damageCase, damages } from "./support/damage.js";

/** `SWEEP=all` changes every bit; otherwise the lowest of every byte: the quick test has the highest. */
const BITS = process.env["SWEEP"] === "all" ? Array.from({ length: 8 }, (_value, bit) => 1 << bit) : [0x01];

describe.each([
  ["plain", false],
  ["encrypted", true],
] as const)("bits of every byte of a small %s bundle", (_name, encrypted) => {
  it("changed, with a digest made to fit: ok only when it is the original, and restored only then", {
    timeout: 3_600_000,
  }, async () => {
    await using damage = await damageCase(encrypted);
    for (const { what, bytes } of damages(damage.bundle, BITS)) {
      await damage.place(bytes, "recomputed");
      const { ok } = await damage.verify();
      if (await damage.holdsTheOriginal(bytes)) continue;
      expect(ok, what).toBe(false);
      expect(await damage.restoreIsRefused(), what).toBe(true);
    }
  });
});
