import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ByteStream, type FileEntry, parseAgentId, parseTenantId } from "@keepsake/core";
import { chunked, tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { PrivateStaging } from "../src/snapshot/private-staging.js";
import { ContentStager, type StagedContent } from "../src/snapshot/stage-content.js";

const REF = { tenant: parseTenantId("default"), agent: parseAgentId("ana") };
const SMALL = 256 * 1024;
const SIZES = [0, 1, 5_000, SMALL - 1, SMALL, SMALL + 1, 600_000];

const entryOf = (content: FileEntry["content"]): FileEntry => ({
  type: "file",
  path: "a",
  mode: 0o644,
  mtimeMs: 0,
  content,
});

const bytesOf = (size: number): Buffer => Buffer.from(Array.from({ length: size }, (_none, index) => index % 249));

async function isWhole(staged: StagedContent, bytes: Buffer): Promise<boolean> {
  const { digest, kept, file } = staged;
  const content = kept?.read() ?? (file === undefined ? undefined : await readFile(file));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  expect(digest).toEqual({ sizeBytes: bytes.length, sha256 });
  return content !== undefined && bytes.equals(content);
}

describe("ContentStager", () => {
  it.each([true, false])(
    "takes streams and files of every size; what is small keeps no file: %s",
    async (keepsSmall) => {
      await using dir = await tempDir();
      await using staging = await PrivateStaging.make(dir.path, REF, "op");
      const scratch = await staging.folder("scratch");
      const stager = new ContentStager(staging, "notes", { keepsSmall, signal: undefined });
      for (const size of SIZES) {
        const bytes = bytesOf(size);
        const file = join(scratch, String(size));
        await writeFile(file, bytes);
        for (const content of [
          { stream: chunked(bytes, 1_000) },
          { stream: chunked(bytes, 200_000) },
          { bytes },
          { file },
        ]) {
          const staged = await stager.stage(entryOf(content));
          expect(await isWhole(staged, bytes), `${String(size)} bytes`).toBe(true);
          expect(staged.file === undefined).toBe(keepsSmall && size <= SMALL);
        }
      }
    },
  );

  it.each([1, 3 * SMALL])(
    "closes a stream that fails or is given up after %d bytes, and leaves no file",
    async (size) => {
      await using dir = await tempDir();
      await using staging = await PrivateStaging.make(dir.path, REF, "op");
      const controller = new AbortController();
      const stager = new ContentStager(staging, "notes", { keepsSmall: true, signal: controller.signal });
      let closed = 0;
      const body = async function* (end: () => void): ByteStream & AsyncGenerator<Uint8Array> {
        try {
          for (let sent = 0; sent < size; sent += 1_000) yield new Uint8Array(1_000);
          end();
          yield new Uint8Array(1_000);
        } finally {
          closed++;
        }
      };
      const reason = new Error("no more");
      const failing = body(() => {
        throw reason;
      });
      await expect(stager.stage(entryOf({ stream: failing }))).rejects.toBe(reason);
      const aborted = body(() => {
        controller.abort(reason);
      });
      await expect(stager.stage(entryOf({ stream: aborted }))).rejects.toBe(reason);
      await expect.poll(() => closed).toBe(2);
      const left = await readdir(staging.dir, { recursive: true, withFileTypes: true });
      expect(left.filter((found) => found.isFile())).toEqual([]);
    },
  );

  it("begins anew after the staging was cleared", async () => {
    await using dir = await tempDir();
    await using staging = await PrivateStaging.make(dir.path, REF, "op");
    const many = Array.from({ length: 300 }, () => Buffer.alloc(SMALL / 4, 7));
    for (const round of ["once", "again"]) {
      const stager = new ContentStager(staging, "notes", { keepsSmall: true, signal: undefined });
      const kept: StagedContent[] = [];
      for (const bytes of many) kept.push(await stager.stage(entryOf({ stream: chunked(bytes, SMALL / 4) })));
      // 19 MB are more than are held in memory.
      for (const staged of kept) expect(await isWhole(staged, Buffer.alloc(SMALL / 4, 7)), round).toBe(true);
      await staging.clear();
      expect(await readdir(staging.dir)).toEqual([]);
    }
  });
});
