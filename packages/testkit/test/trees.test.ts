import { execFileSync } from "node:child_process";
import { chmod, readdir, rename, rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { chunked, collect } from "../src/streams.js";
import { tempDir } from "../src/temp-dir.js";
import { treeDigest } from "../src/tree-digest.js";
import { writeTree } from "../src/write-tree.js";

const at = (ms: number) => ({ mtimeMs: 1_700_000_000_000 + ms });

async function sample(dir: string): Promise<void> {
  await writeTree(dir, [
    ["note.md", { file: "hello", mode: 0o640, ...at(1) }],
    ["sub/deep/run.sh", { file: "#!/bin/sh\n", mode: 0o755, ...at(2) }],
    ["empty", { directory: true, mode: 0o700, ...at(3) }],
    ["latest", { link: "sub/deep", ...at(4) }],
    [Buffer.from([0x66, 0xff, 0x2e]), { file: Uint8Array.of(0, 1, 2), mode: 0o600, ...at(5) }],
    [".hidden", { file: "", mode: 0o644, ...at(6) }],
    ["sub/deep", { directory: true, mode: 0o755, ...at(7) }],
    ["sub", { directory: true, mode: 0o755, ...at(8) }],
  ]);
}

describe("treeDigest", () => {
  it("says of a tree all that a restore has to give back", async () => {
    await using dir = await tempDir();
    await sample(dir.path);
    expect(await treeDigest(dir.path)).toMatchInlineSnapshot(`
      {
        ".hidden": {
          "mode": "0644",
          "mtimeMs": 1700000000006,
          "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
          "sizeBytes": 0,
          "type": "file",
        },
        "bytes:f%FF.": {
          "mode": "0600",
          "mtimeMs": 1700000000005,
          "sha256": "ae4b3280e56e2faf83f414a6e3dabe9d5fbe18976544c05fed121accb85b53fc",
          "sizeBytes": 3,
          "type": "file",
        },
        "empty": {
          "mode": "0700",
          "mtimeMs": 1700000000003,
          "type": "directory",
        },
        "latest": {
          "mtimeMs": 1700000000004,
          "target": "sub/deep",
          "type": "symlink",
        },
        "note.md": {
          "mode": "0640",
          "mtimeMs": 1700000000001,
          "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
          "sizeBytes": 5,
          "type": "file",
        },
        "sub": {
          "mode": "0755",
          "mtimeMs": 1700000000008,
          "type": "directory",
        },
        "sub/deep": {
          "mode": "0755",
          "mtimeMs": 1700000000007,
          "type": "directory",
        },
        "sub/deep/run.sh": {
          "mode": "0755",
          "mtimeMs": 1700000000002,
          "sha256": "a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf",
          "sizeBytes": 10,
          "type": "file",
        },
      }
    `);
  });

  it("is equal for equal trees and differs by one bit of content, mode, time, name, kind or target", async () => {
    await using dir = await tempDir();
    const before = async () => {
      await rm(dir.join("t"), { recursive: true, force: true });
      await sample(dir.join("t"));
      return treeDigest(dir.join("t"));
    };
    const same = await before();
    expect(await before()).toEqual(same);
    const changes: (() => Promise<unknown>)[] = [
      () => writeTree(dir.join("t"), { "note.md": { file: "hellp", mode: 0o640, ...at(1) } }),
      () => chmod(dir.join("t", "note.md"), 0o641),
      () => writeTree(dir.join("t"), { "note.md": { file: "hello", mode: 0o640, ...at(0) } }),
      () => rename(dir.join("t", "note.md"), dir.join("t", "Note.md")),
      () => rm(dir.join("t", "empty"), { recursive: true }).then(() => writeFile(dir.join("t", "empty"), "")),
      () => rm(dir.join("t", "latest")).then(() => writeTree(dir.join("t"), { latest: { link: "sub", ...at(4) } })),
    ];
    for (const change of changes) {
      expect(await before()).toEqual(same);
      await change();
      expect(await treeDigest(dir.join("t"))).not.toEqual(same);
    }
  });

  it("leaves out the times and paths it is told to", async () => {
    await using dir = await tempDir();
    await sample(dir.path);
    const files = await treeDigest(dir.path, { mtimes: "files", exclude: (path) => path === "sub" });
    expect(Object.keys(files)).toEqual([".hidden", "bytes:f%FF.", "empty", "latest", "note.md"]);
    expect(files["empty"]).toEqual({ type: "directory", mode: "0700" });
    expect(files["note.md"]).toHaveProperty("mtimeMs");
    expect((await treeDigest(dir.path, { mtimes: "none" }))["note.md"]).not.toHaveProperty("mtimeMs");
  });

  it("does not hang on a FIFO", async () => {
    await using dir = await tempDir();
    execFileSync("mkfifo", ["-m", "600", dir.join("pipe")]);
    expect((await treeDigest(dir.path, { mtimes: "none" }))["pipe"]).toEqual({ type: "special", mode: "0600" });
  });
});

describe("tempDir", () => {
  it("goes with all that is in it, also what nobody may read", async () => {
    await using outer = await tempDir();
    {
      await using inner = await tempDir(outer.path);
      await writeTree(inner.path, { "a/b/c": "x", "a/b": { directory: true, mode: 0 } });
      expect(await readdir(outer.path)).toHaveLength(1);
    }
    expect(await readdir(outer.path)).toEqual([]);
  });
});

describe("chunked and collect", () => {
  it("give the bytes back at every chunk size", async () => {
    const bytes = Uint8Array.from({ length: 37 }, (_, index) => index);
    for (let size = 1; size <= 40; size++) {
      const sizes: number[] = [];
      for await (const chunk of chunked(bytes, size)) sizes.push(chunk.length);
      expect(Math.max(...sizes)).toBe(Math.min(size, 37));
      expect(Buffer.from(await collect(chunked(bytes, size))).equals(bytes)).toBe(true);
    }
    expect(await collect(chunked(""))).toHaveLength(0);
    expect(Buffer.from(await collect(chunked("é"))).toString()).toBe("é");
  });
});
