import { readdir, readFile, writeFile } from "node:fs/promises";
import { type ArtifactSource, sha256Hex } from "@keepsake/core";
import { tempDir, type TempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import type { StagedArtifactFile } from "../src/bundle/staged-bundle.js";
import { redactUnits, type RedactionUnit } from "../src/redaction/redact-units.js";
import { WORD_POLICY } from "./support/engine-bench.js";
import { folderSource } from "./support/folder-source.js";

async function staged(dir: TempDir, path: string, content: string | Uint8Array): Promise<StagedArtifactFile> {
  const file = dir.join(sha256Hex(path));
  await writeFile(file, content);
  const bytes = Buffer.from(content);
  const meta = { pathInBundle: path, kind: "x", source: "notes", type: "file" as const, mode: 0o600, mtimeMs: 0 };
  return { meta: { ...meta, sizeBytes: bytes.length, sha256: sha256Hex(bytes) }, file };
}

const notes = (artifacts: StagedArtifactFile[]): RedactionUnit => ({ id: "notes", artifacts });

describe("redacting what is staged", () => {
  it("rewrites texts, counts, and brings sizes and digests up to date", async () => {
    await using dir = await tempDir();
    const artifacts = [
      await staged(dir, "notes/a", "hunter2, and hunter2\nü"),
      await staged(dir, "notes/clean", "nothing here"),
    ];
    const [, clean] = artifacts;
    const done = await redactUnits([{ ...notes(artifacts), source: folderSource("notes") }], WORD_POLICY, {});
    expect([...done.byArtifact]).toEqual([["notes/a", { word: 2 }]]);
    expect(done).toMatchObject({ touched: ["notes/a"], unscanned: [] });
    const text = await readFile(artifacts[0]?.file ?? "", "utf8");
    expect(text).toBe("[REDACTED:word], and [REDACTED:word]\nü");
    expect(artifacts[0]?.meta).toMatchObject({ sizeBytes: Buffer.byteLength(text), sha256: sha256Hex(text) });
    expect(artifacts[1]).toEqual(clean);
  });

  it("leaves what is no text as it is, and says that it was not scanned, and whether it is encrypted", async () => {
    await using dir = await tempDir();
    const binary = Buffer.concat([Buffer.from("hunter2"), Buffer.from([0, 1])]);
    const age = Buffer.concat([Buffer.from("age-encryption.org/v1\n-> X25519 "), Buffer.from([0, 200, 7])]);
    const artifacts = [
      await staged(dir, "notes/bin", binary),
      await staged(dir, "notes/age", age),
      await staged(dir, "notes/armored", "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n"),
    ];
    const { unscanned, byArtifact } = await redactUnits([notes(artifacts)], WORD_POLICY, {});
    expect(byArtifact.size).toBe(0);
    expect(unscanned).toEqual([
      { path: "notes/bin", reason: "binary" },
      { path: "notes/age", reason: "encrypted" },
      { path: "notes/armored", reason: "encrypted" },
    ]);
    expect(await readFile(artifacts[0]?.file ?? "")).toEqual(binary);
  });

  it("redacts what is in an eight-bit code or in UTF-16, and leaves all other bytes as they were", async () => {
    await using dir = await tempDir();
    const latin = Buffer.concat([Buffer.from("hunter2"), Buffer.from([0xff, 0xe9])]);
    const artifacts = [
      await staged(dir, "notes/latin", latin),
      await staged(dir, "notes/wide", Buffer.from("\ufeffhunter2 ü", "utf16le")),
    ];
    const { unscanned, touched } = await redactUnits([notes(artifacts)], WORD_POLICY, {});
    expect({ unscanned, touched }).toEqual({ unscanned: [], touched: ["notes/latin", "notes/wide"] });
    expect(await readFile(artifacts[0]?.file ?? "", "latin1")).toBe("[REDACTED:word]\u00ff\u00e9");
    expect(await readFile(artifacts[1]?.file ?? "", "utf16le")).toBe("\ufeff[REDACTED:word] ü");
  });

  it("redacts what is larger than a window, also where a secret lies across two", async () => {
    await using dir = await tempDir();
    const size = 8 * 1024 * 1024;
    const text = `${"-".repeat(size - 524_288 - 3)}hunter2${"=".repeat(size - 3)}hunter2\n`;
    const artifacts = [await staged(dir, "notes/large", text), await staged(dir, "notes/clean", "-".repeat(2 * size))];
    const before = artifacts[1];
    const { byArtifact, unscanned } = await redactUnits([notes(artifacts)], WORD_POLICY, {});
    expect([[...byArtifact], unscanned]).toEqual([[["notes/large", { word: 2 }]], []]);
    const redacted = await readFile(artifacts[0]?.file ?? "", "utf8");
    expect(redacted === text.replaceAll("hunter2", "[REDACTED:word]")).toBe(true);
    expect(artifacts[0]?.meta).toMatchObject({ sizeBytes: redacted.length, sha256: sha256Hex(redacted) });
    expect(artifacts[1]).toEqual(before);
    // What was there before lies beside it, for a second time.
    expect((await readdir(dir.path)).filter((name) => name.endsWith(".was"))).toHaveLength(1);
    expect((await readdir(dir.path)).length).toBe(3);
  });

  it("lets a source that knows its content do it, with files that come and go, and lists what an opaque one holds", async () => {
    await using dir = await tempDir();
    const own: ArtifactSource = {
      ...folderSource("own"),
      async redact(files) {
        const [first] = files;
        for (const { file } of files) await writeFile(file, "mine");
        await writeFile(dir.join("more"), "more");
        return {
          matches: { word: 3 },
          artifactsTouched: files.map(({ pathInBundle }) => pathInBundle),
          unscanned: [],
          removed: ["own/gone"],
          added: [{ pathInBundle: "own/more", file: dir.join("more"), mode: 0o444, mtimeMs: 7 }],
          facts: first === undefined ? {} : { [first.pathInBundle]: { rows: 1 } },
          history: "rewritten",
        };
      },
    };
    const opaque: ArtifactSource = { ...folderSource("opaque"), content: "opaque" };
    const artifacts = [await staged(dir, "own/a", "hunter2"), await staged(dir, "own/gone", "hunter2")];
    const units = [
      { id: "own", artifacts, source: own },
      { id: "opaque", artifacts: [await staged(dir, "opaque/b", "hunter2")], source: opaque },
    ];
    const done = await redactUnits(units, WORD_POLICY, {});
    expect([...done.byArtifact]).toEqual([["own", { word: 3 }]]);
    expect(done.unscanned).toEqual([{ path: "opaque/b", reason: "not_text" }]);
    expect(done.history).toEqual([{ source: "own", outcome: "rewritten" }]);
    expect(artifacts.map(({ meta }) => [meta.pathInBundle, meta.sha256, meta.mode])).toEqual([
      ["own/a", sha256Hex("mine"), 0o600],
      ["own/more", sha256Hex("more"), 0o444],
    ]);
    expect(artifacts[0]?.meta.facts).toEqual({ rows: 1 });
  });

  it("stops when it is aborted", async () => {
    await using dir = await tempDir();
    const artifacts = [await staged(dir, "notes/a", "hunter2")];
    await expect(redactUnits([notes(artifacts)], WORD_POLICY, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(await readFile(artifacts[0]?.file ?? "", "utf8")).toBe("hunter2");
  });
});
