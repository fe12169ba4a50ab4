import { existsSync, readFileSync, renameSync, statSync } from "node:fs";
import type { ArtifactMeta } from "@keepsake/core";
import { SmallFiles } from "@keepsake/files";
import { type TempDir, tempDir } from "@keepsake/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UnpackedFile } from "../src/restore/unpacked-file.js";

let temp: TempDir;
beforeEach(async () => {
  temp = await tempDir();
});
afterEach(async () => temp[Symbol.asyncDispose]());

const META: ArtifactMeta = {
  ...{ pathInBundle: "notes/a.md", kind: "memory_file", source: "notes", type: "file", mode: 0o644, mtimeMs: 0 },
  ...{ sizeBytes: 5, sha256: "0".repeat(64) },
};

describe("the bytes of a small artifact", () => {
  it("have no file before it is asked for, and one alone, for its owner", () => {
    using small = new SmallFiles(temp.join("small"));
    const unpacked = new UnpackedFile(temp.path, 0, small.keep(Buffer.from("bytes")));
    const entry = unpacked.entryOf(META, "a.md");
    expect(entry.bytes?.().toString()).toBe("bytes");
    expect(existsSync(temp.join("0"))).toBe(false);

    const spread = { ...entry };
    expect([spread.file, spread.bytes?.().toString()]).toEqual([temp.join("0"), "bytes"]);
    expect(readFileSync(temp.join("0"), "utf8")).toBe("bytes");
    expect(statSync(temp.join("0")).mode & 0o777).toBe(0o600);
    // Its source has taken it: another one at its place would be nobody's.
    renameSync(temp.join("0"), temp.join("taken"));
    expect([entry.file, unpacked.path]).toEqual([temp.join("0"), temp.join("0")]);
    expect(existsSync(temp.join("0"))).toBe(false);
    expect(entry.bytes?.().toString()).toBe("bytes");
  });

  it("of a large one are in its file alone", () => {
    const entry = new UnpackedFile(temp.path, 0).entryOf(META, "a.md");
    expect([entry.file, "bytes" in entry]).toEqual([temp.join("0"), false]);
    expect({ ...entry }).toEqual({ meta: META, path: "a.md", file: temp.join("0") });
  });
});
