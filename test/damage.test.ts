import { describe, expect, it } from "vitest";
import { damageCase, damages } from "./support/damage.js";

describe.each([
  ["plain", false],
  ["encrypted", true],
] as const)("a small %s bundle", (_name, encrypted) => {
  it("is fine before it is damaged", async () => {
    await using damage = await damageCase(encrypted);
    await damage.place(damage.bundle, "original");
    const { ok, checks } = await damage.verify();
    expect(ok).toBe(true);
    expect(checks.every(({ status }) => status === "ok")).toBe(true);
    expect(damage.bundle.length).toBeLessThan(4096);
  });

  it("with any byte changed, or cut at any length, is never ok", { timeout: 300_000 }, async () => {
    await using damage = await damageCase(encrypted);
    for (const { what, bytes } of damages(damage.bundle, [0x01])) {
      await damage.place(bytes, "original");
      expect((await damage.verify()).ok, what).toBe(false);
    }
  });

  it("and with a digest made to fit, is ok only when it still is exactly the original", {
    timeout: 300_000,
  }, async () => {
    await using damage = await damageCase(encrypted);
    for (const { what, bytes } of damages(damage.bundle, [0x80])) {
      await damage.place(bytes, "recomputed");
      if ((await damage.verify()).ok) expect(await damage.holdsTheOriginal(bytes), what).toBe(true);
    }
  });

  it("never reaches live data", { timeout: 300_000 }, async () => {
    await using damage = await damageCase(encrypted);
    for (const digest of ["original", "recomputed"] as const) {
      for (const { what, bytes } of damages(damage.bundle, [0x10], 41)) {
        if (digest === "recomputed" && (await damage.holdsTheOriginal(bytes))) continue;
        await damage.place(bytes, digest);
        expect(await damage.restoreIsRefused(), `${what}, ${digest} digest`).toBe(true);
      }
    }
  });
});
