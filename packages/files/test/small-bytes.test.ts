import { open, readdir, readlink, truncate, writeFile } from "node:fs/promises";
import { collect, tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { readChunks, SmallFiles } from "../src/index.js";

const CHUNK = 4096;

async function openBelow(dir: string): Promise<number> {
  const links = await Promise.all(
    (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
  );
  return links.filter((path) => path.startsWith(dir)).length;
}

describe("readChunks", () => {
  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7])("reads all of %d bytes", async (size) => {
    await using dir = await tempDir();
    const bytes = Buffer.from(Array.from({ length: size }, (_none, index) => index % 251));
    await writeFile(dir.join("f"), bytes);
    const chunks: Buffer[] = [];
    for await (const chunk of readChunks(dir.join("f"), CHUNK)) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(bytes);
    expect(chunks.every((chunk) => chunk.length > 0 && chunk.length <= CHUNK)).toBe(true);
  });

  it("reads what a file has when it is read, whatever it had when it was opened", async () => {
    await using dir = await tempDir();
    await writeFile(dir.join("f"), "x".repeat(3 * CHUNK));
    const grown: Buffer[] = [];
    for await (const chunk of readChunks(dir.join("f"), CHUNK)) {
      if (grown.length === 0) await writeFile(dir.join("f"), "y".repeat(4 * CHUNK), { flag: "a" });
      grown.push(chunk);
    }
    expect(Buffer.concat(grown).length).toBe(7 * CHUNK);
    const cut: Buffer[] = [];
    for await (const chunk of readChunks(dir.join("f"), CHUNK)) {
      // One chunk is read ahead.
      if (cut.length === 0) await truncate(dir.join("f"), 2 * CHUNK + 3);
      cut.push(chunk);
    }
    expect(Buffer.concat(cut).length).toBe(2 * CHUNK + 3);
  });

  it("keeps no file open that is not read to its end, nor one that nobody reads", async () => {
    await using dir = await tempDir();
    await writeFile(dir.join("f"), "x".repeat(3 * CHUNK));
    readChunks(dir.join("f"), CHUNK);
    for await (const _chunk of readChunks(dir.join("f"), CHUNK)) break;
    expect(await openBelow(dir.path)).toBe(0);
  });

  it("says what the system says", async () => {
    await using dir = await tempDir();
    await expect(collect(readChunks(dir.join("none")))).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("SmallFiles", () => {
  it("gives back what it was given, in memory or not, as often as it is asked", async () => {
    await using dir = await tempDir();
    const sizes = Array.from({ length: 80 }, (_none, index) => (index % 5) * 200_000 + index);
    {
      using small = new SmallFiles(dir.join("small"));
      // What is given is used again for the next: a copy is kept.
      const given = Buffer.alloc(1_000_000);
      const kept = sizes.map((size, index) => small.keep(given.fill(index).subarray(0, size)));
      for (const round of ["once", "again"]) {
        for (const [index, size] of sizes.entries()) {
          expect(kept[index]?.sizeBytes).toBe(size);
          expect(kept[index]?.read().equals(Buffer.alloc(size, index)), round).toBe(true);
        }
      }
      // 32 MB do not all stay in memory: one file takes what is too much.
      expect(await readdir(dir.path)).toEqual(["small"]);
      expect(await openBelow(dir.path)).toBe(1);
    }
    expect(await openBelow(dir.path)).toBe(0);
  });

  it("makes no file while four mebibytes of memory do", async () => {
    await using dir = await tempDir();
    using small = new SmallFiles(dir.join("small"));
    const keep = (files: number): void => {
      for (let count = 0; count < files; count++) small.keep(Buffer.alloc(10_000));
    };
    keep(400);
    expect(await readdir(dir.path)).toEqual([]);
    keep(200);
    expect(await readdir(dir.path)).toEqual(["small"]);
  });

  it("refuses what is not small", async () => {
    await using dir = await tempDir();
    using small = new SmallFiles(dir.join("small"));
    small.keep(Buffer.alloc(SmallFiles.maxBytes));
    expect(() => small.keep(Buffer.alloc(SmallFiles.maxBytes + 1))).toThrow(RangeError);
  });

  it("says what the system says when there is no place for more", async () => {
    await using dir = await tempDir();
    await (await open(dir.join("taken"), "w")).close();
    using small = new SmallFiles(dir.join("taken"));
    const fill = () => {
      for (let count = 0; count < 100; count++) small.keep(Buffer.alloc(1_000_000));
    };
    expect(fill).toThrow(expect.objectContaining({ code: "EEXIST" }) as Error);
  });
});
