import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";

describe("npm run demo", () => {
  it("holds every claim, is short to read, and leaves nothing behind", async () => {
    await using tmp = await tempDir();
    const demo = fileURLToPath(new URL("./demo.mjs", import.meta.url));
    const env = { ...process.env, TMPDIR: tmp.path };
    const { status, stdout, stderr } = spawnSync(process.execPath, [demo], { encoding: "utf8", env });
    expect({ status, stderr, failed: stdout.split("\n").filter((line) => line.startsWith("  NO")) }).toEqual({
      status: 0,
      stderr: "",
      failed: [],
    });
    expect(stdout).toContain("All of it held.");
    expect(stdout.split("\n").length).toBeLessThanOrEqual(60);
    expect(readdirSync(tmp.path)).toEqual([]);
  });
});
