import { readFile, writeFile } from "node:fs/promises";
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
    const notUtf8 = Buffer.concat([Buffer.from("hunter2"), Buffer.from([0xff])]);
    const artifacts = [await staged(dir, "notes/bin", binary), await staged(dir, "notes/latin", notUtf8)];
    const { unscanned, matchesRedacted } = await redactStaged([{ artifacts }], WORD_POLICY, {});
    expect(matchesRedacted).toBe(0);
    expect(unscanned).toEqual(["notes/bin", "notes/latin"].map((path) => ({ path, reason: "binary" })));
    expect(await readFile(artifacts[0]?.file ?? "")).toEqual(binary);
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
