import { writeFile } from "node:fs/promises";
import { DiskFaults, tempDir } from "@keepsake/testkit";
import { afterEach, describe, expect, it, vi } from "vitest";
import { syncAtOnce } from "../src/index.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Writes twenty files, and says whether they were synced at once. */
const PROGRAM = `
  import { writeFileSync } from "node:fs";
  const [, folder, library] = process.argv;
  const { syncAtOnce } = await import(library);
  for (let index = 0; index < 20; index++) writeFileSync(folder + "/" + index, "x");
  process.stdout.write(String(await syncAtOnce(20, [folder])));
`;

describe("syncAtOnce", () => {
  it("makes one call for many files, which comes after them; a call that fails is told", async () => {
    await using dir = await tempDir();
    await using faults = await DiskFaults.prepare();
    const library = new URL("../dist/index.js", import.meta.url).href;
    const argv = [process.execPath, "--input-type=module", "--eval", PROGRAM, dir.path, library] as const;
    const { calls, said } = await faults.run({ argv }, { within: dir.path });
    expect([said, calls.at(-1)]).toMatchObject(["true", { name: "syncfs", path: dir.path }]);
    expect(calls.filter(({ name }) => name.includes("sync"))).toHaveLength(1);
    const strike = { at: calls.length, fault: { error: "EIO" } } as const;
    expect((await faults.run({ argv }, { within: dir.path, strike })).said).toBe("false");
  });

  it("leaves a few files to themselves, and all of them where there is no such program", async () => {
    await using dir = await tempDir();
    await writeFile(dir.join("a"), "a");
    expect(await syncAtOnce(1, [dir.path])).toBe(false);
    expect(await syncAtOnce(100, [dir.join("none")])).toBe(false);
    vi.stubEnv("PATH", dir.path);
    expect(await syncAtOnce(100, [dir.path])).toBe(false);
  });
});
