import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { tempDir } from "@keepsake/testkit";
import { expect, test } from "vitest";

const ours = new URL("../dist/process/better-sqlite.js", import.meta.url).href;
const program = (name: string): string => fileURLToPath(new URL(`./programs/${name}.mjs`, import.meta.url));

/** How many objects of each kind were collected. */
async function collected(module: string): Promise<Record<string, number>> {
  await using temp = await tempDir();
  const args = ["--expose-gc", program("collected"), module, temp.path];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, number>;
}

test("what better-sqlite3 makes is collected when nobody has it any more", async () => {
  const counts = await collected("better-sqlite3");
  expect(Object.keys(counts)).toHaveLength(6);
  expect(Object.entries(counts).filter(([, count]) => count === 0)).toEqual([]);
});

test("but not in the process that reads databases", async () => {
  const counts = await collected(ours);
  expect(Object.keys(counts)).toHaveLength(6);
  expect(Object.entries(counts).filter(([, count]) => count > 0)).toEqual([]);
});

// With better-sqlite3 itself it is ended by SIGABRT on Node 24.19 and newer, in every run.
test("a process that leaves its objects behind lives on, whatever the runtime, and ends by itself", () => {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program("garbage"), ours, "5000"], {
    encoding: "utf8",
  });
  expect({ status, signal, stdout }, stderr).toEqual({ status: 0, signal: null, stdout: "alive after 5000 rounds" });
});
