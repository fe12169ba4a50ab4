import { readdir, readFile, writeFile } from "node:fs/promises";
import { type ArtifactSource, sha256Hex } from "@keepsake/core";
import { tempDir, type TempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import type { StagedArtifactFile } from "../src/bundle/staged-bundle.js";
import { redactStaged } from "../src/snapshot/redact-staged.js";
import { WORD_POLICY } from "./support/engine-bench.js";
import { folderSource } from "./support/folder-source.js";

async function staged(dir: TempDir, path: string, content: string | Uint8Array): Promise<StagedArtifactFile> {
  const file = dir.join(sha256Hex(path));
  await writeFile(file, content);
  const bytes = Buffer.from(content);
  const meta = { pathInBundle: path, kind: "x", source: "notes", type: "file" as const, mode: 0o600, mtimeMs: 0 };
  return { meta: { ...meta, sizeBytes: bytes.length, sha256: sha256Hex(bytes) }, file };
}

describe("redacting what is staged", () => {
  it("rewrites texts, counts, and brings sizes and digests up to date", async () => {
    await using dir = await tempDir();
    const artifacts = [
      await staged(dir, "notes/a", "hunter2, and hunter2\nü"),
      await staged(dir, "notes/clean", "nothing here"),
    ];
    const [, clean] = artifacts;
    const report = await redactStaged([{ artifacts, source: folderSource("notes") }], WORD_POLICY, {});
    expect(report).toEqual({
      policy: "words",
      rulesApplied: ["word"],
      matchesRedacted: 2,
      artifactsTouched: ["notes/a"],
      unscanned: [],
    });
    const text = await readFile(artifacts[0]?.file ?? "", "utf8");
    expect(text).toBe("[REDACTED:word], and [REDACTED:word]\nü");
    expect(artifacts[0]?.meta).toMatchObject({ sizeBytes: Buffer.byteLength(text), sha256: sha256Hex(text) });
    expect(artifacts[1]).toEqual(clean);
  });

  it("leaves what is no text as it is, and says that it was not scanned", async () => {
    await using dir = await tempDir();
    const binary = Buffer.concat([Buffer.from("hunter2"), Buffer.from([0, 1])]);
    const artifacts = [await staged(dir, "notes/bin", binary)];
    const { unscanned, matchesRedacted } = await redactStaged([{ artifacts }], WORD_POLICY, {});
    expect(matchesRedacted).toBe(0);
    expect(unscanned).toEqual([{ path: "notes/bin", reason: "binary" }]);
    expect(await readFile(artifacts[0]?.file ?? "")).toEqual(binary);
  });

  it("redacts what is in an eight-bit code or in UTF-16, and leaves all other bytes as they were", async () => {
    await using dir = await tempDir();
    const latin = Buffer.concat([Buffer.from("hunter2"), Buffer.from([0xff, 0xe9])]);
    const artifacts = [
      await staged(dir, "notes/latin", latin),
      await staged(dir, "notes/wide", Buffer.from("\ufeffhunter2 ü", "utf16le")),
    ];
    const { unscanned, matchesRedacted } = await redactStaged([{ artifacts }], WORD_POLICY, {});
    expect({ unscanned, matchesRedacted }).toEqual({ unscanned: [], matchesRedacted: 2 });
    expect(await readFile(artifacts[0]?.file ?? "", "latin1")).toBe("[REDACTED:word]\u00ff\u00e9");
    expect(await readFile(artifacts[1]?.file ?? "", "utf16le")).toBe("\ufeff[REDACTED:word] ü");
  });

  it("redacts what is larger than a window, also where a secret lies across two", async () => {
    await using dir = await tempDir();
    const size = 8 * 1024 * 1024;
    const text = `${"-".repeat(size - 524_288 - 3)}hunter2${"=".repeat(size - 3)}hunter2\n`;
    const artifacts = [await staged(dir, "notes/large", text), await staged(dir, "notes/clean", "-".repeat(2 * size))];
    const before = artifacts[1];
    const report = await redactStaged([{ artifacts }], WORD_POLICY, {});
    expect(report).toMatchObject({ matchesRedacted: 2, artifactsTouched: ["notes/large"], unscanned: [] });
    const redacted = await readFile(artifacts[0]?.file ?? "", "utf8");
    expect(redacted === text.replaceAll("hunter2", "[REDACTED:word]")).toBe(true);
    expect(artifacts[0]?.meta).toMatchObject({ sizeBytes: redacted.length, sha256: sha256Hex(redacted) });
    expect(artifacts[1]).toEqual(before);
    expect((await readdir(dir.path)).length).toBe(2);
  });

  it("lets a source that knows its content do it, and lists what an opaque one holds", async () => {
    await using dir = await tempDir();
    const own: ArtifactSource = {
      ...folderSource("own"),
      async redact(files) {
        for (const { file } of files) await writeFile(file, "mine");
        return { matches: { word: 3 }, artifactsTouched: files.map(({ pathInBundle }) => pathInBundle), unscanned: [] };
      },
    };
    const opaque: ArtifactSource = { ...folderSource("opaque"), content: "opaque" };
    const units = [
      { artifacts: [await staged(dir, "own/a", "hunter2")], source: own },
      { artifacts: [await staged(dir, "opaque/b", "hunter2")], source: opaque },
    ];
    const report = await redactStaged(units, WORD_POLICY, {});
    expect(report).toMatchObject({
      matchesRedacted: 3,
      artifactsTouched: ["own/a"],
      unscanned: [{ path: "opaque/b", reason: "not_text" }],
    });
    expect(units[0]?.artifacts[0]?.meta.sha256).toBe(sha256Hex("mine"));
  });

  it("stops when it is aborted", async () => {
    await using dir = await tempDir();
    const artifacts = [await staged(dir, "notes/a", "hunter2")];
    await expect(redactStaged([{ artifacts }], WORD_POLICY, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(await readFile(artifacts[0]?.file ?? "", "utf8")).toBe("hunter2");
  });
});
