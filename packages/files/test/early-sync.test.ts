import { readdir, rm } from "node:fs/promises";
import { DiskFaults, tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";

const MIB = 1024 * 1024;

/**
 * Writes a file of so many mebibytes, and says what became of it. It makes no more while anything is under way: however slow the
 * disk is, each sync has ended before the next is due.
 */
const PROGRAM = `
  const [, file, library, mebibytes] = process.argv;
  const { writeNewFile } = await import(library);
  async function* body() {
    for (let index = 0; index < Number(mebibytes); index++) {
      while (process.getActiveResourcesInfo().includes("FSReqPromise")) await new Promise(setImmediate);
      yield Buffer.alloc(${String(MIB)}, index);
    }
  }
  const written = writeNewFile(file, body());
  process.stdout.write(await written.then(() => "written", (error) => error.code));
`;

async function write(mebibytes: number, within: string, faults: DiskFaults, at?: number) {
  const library = new URL("../dist/index.js", import.meta.url).href;
  const argv = [
    process.execPath,
    "--input-type=module",
    "--eval",
    PROGRAM,
    `${within}/file`,
    library,
    `${mebibytes}`,
  ] as const;
  const strike = at === undefined ? {} : { strike: { at, fault: { error: "EIO" } } as const };
  return await faults.run({ argv }, { within, ...strike });
}

describe("a large file that is to be on the disk", () => {
  it("is put there while it is written, and again at its end", async () => {
    await using dir = await tempDir();
    await using faults = await DiskFaults.prepare();
    const { calls, said } = await write(200, dir.path, faults);
    const names = calls.map(({ name }) => name);
    expect(said).toBe("written");
    expect(names.filter((name) => name === "fdatasync")).toHaveLength(3);
    expect(names.indexOf("fdatasync")).toBeLessThan(names.lastIndexOf("write"));
    expect(names.at(-1)).toBe("fsync");
  });

  it("does not exist when a part of it could not be put there, although the system says of the rest that it was", async () => {
    await using dir = await tempDir();
    await using faults = await DiskFaults.prepare();
    // The last one of such a file begins with its last chunk.
    for (const mebibytes of [200, 128]) {
      const { calls } = await write(mebibytes, dir.path, faults);
      await rm(dir.join("file"));
      const syncs = calls.filter(({ name }) => name === "fdatasync").map(({ ordinal }) => ordinal);
      expect(syncs).toHaveLength(mebibytes === 200 ? 3 : 2);
      const { said } = await write(mebibytes, dir.path, faults, mebibytes === 200 ? syncs[0] : syncs.at(-1));
      expect(said).toBe("EIO");
      expect(await readdir(dir.path)).toEqual([]);
    }
  });

  it("is put there once when it is small", async () => {
    await using dir = await tempDir();
    await using faults = await DiskFaults.prepare();
    const { calls } = await write(60, dir.path, faults);
    expect(calls.filter(({ name }) => name.includes("sync")).map(({ name }) => name)).toEqual(["fsync"]);
  });
});
