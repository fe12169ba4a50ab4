import { execFileSync } from "node:child_process";
import { appendFile, lstat, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CaptureSession } from "@keepsake/core";
import { parseAgentId, parseTenantId } from "@keepsake/core";
import { type TempDir, tempDir, writeTree } from "@keepsake/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memdir } from "../src/index.js";

let temp: TempDir;
let memory: string;
beforeEach(async () => {
  temp = await tempDir();
  memory = temp.join("memory");
});
afterEach(async () => temp[Symbol.asyncDispose]());

/** A session as the engine opens one, with its own scratch directory. */
async function open(memoryDir: string, dir: string): Promise<CaptureSession> {
  const scratchDir = join(dir, "scratch");
  await mkdir(scratchDir);
  const agent = { tenant: parseTenantId("t"), agent: parseAgentId("a") };
  return memdir().open({ agent, paths: { memory: memoryDir }, scratchDir, claimed: [] });
}

/** When each file was last read, in milliseconds. */
async function readAt(dir: string): Promise<Readonly<Record<string, number>>> {
  const names = await readdir(dir);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await stat(join(dir, name))).atimeMs] as const)),
  );
}

async function changedAt(dir: string): Promise<number> {
  const all = await Promise.all((await readdir(dir)).map((name) => stat(join(dir, name))));
  return Math.max(...all.map(({ ctimeMs }) => ctimeMs));
}

/** Waits until the clock shows so much more: what happens then has another time. */
async function clockAfter(atMs: number, moreMs: number): Promise<void> {
  while (Date.now() <= atMs + moreMs) await new Promise((resolve) => setImmediate(resolve));
}

async function contents(session: CaptureSession): Promise<Readonly<Record<string, string>>> {
  const read: Record<string, string> = {};
  for await (const entry of session.entries()) {
    if (entry.type !== "file") continue;
    const chunks: Uint8Array[] = [];
    if ("file" in entry.content) chunks.push(await readFile(entry.content.file));
    else if ("bytes" in entry.content) chunks.push(entry.content.bytes);
    else if ("stream" in entry.content) for await (const chunk of entry.content.stream) chunks.push(chunk);
    read[entry.path] = Buffer.concat(chunks).toString();
  }
  return read;
}

describe("files that are pinned", () => {
  it("are shown as they were when they were pinned, and the fingerprint is that of what was pinned", async () => {
    await writeTree(memory, { "a.md": "a", "b.md": "b", "large.bin": Buffer.alloc(400_000, "l") });
    await using session = await open(memory, temp.path);
    expect(await session.pin()).toBe("held");
    const pinned = session.pinnedFence?.();
    expect(await session.fence?.()).toBe(pinned);
    await writeFile(join(memory, "a.md"), "A");
    expect(await session.fence?.()).not.toBe(pinned);
    expect(session.pinnedFence?.()).toBe(pinned);
    await rm(join(memory, "b.md"));
    await appendFile(join(memory, "large.bin"), "!");
    expect(await contents(session)).toEqual({ "a.md": "a", "b.md": "b", "large.bin": "l".repeat(400_000) });
  });

  it.runIf(process.getuid?.() === 0)("are read once, and again only if they moved", async () => {
    await mkdir(memory);
    // Here every reading leaves its time.
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m,strictatime", "tmpfs", memory]);
    try {
      await writeTree(memory, { "moves.md": "1", "stays.md": "s", "large.bin": Buffer.alloc(400_000, "l") });
      await clockAfter(await changedAt(memory), 20);
      await using session = await open(memory, temp.path);
      await session.pin();
      const first = await readAt(memory);
      await clockAfter(Math.max(...Object.values(first)), 20);
      await writeFile(join(memory, "moves.md"), "2");
      await session.unpin?.();
      await session.pin();
      await session.freshen?.({ withinMs: 60_000 });
      await session.fence?.();
      const second = await readAt(memory);
      expect(second).toEqual({ ...first, "moves.md": expect.any(Number) as number });
      expect(second["moves.md"]).toBeGreaterThan(first["moves.md"] ?? Number.NaN);
    } finally {
      execFileSync("umount", ["-l", memory]);
    }
  });

  it("and were written while they were first pinned do not look like what is there, and are pinned again", async () => {
    const names = Array.from({ length: 5000 }, (_none, index) => `${String(index).padStart(4, "0")}.md`);
    await writeTree(memory, Object.fromEntries(names.map((name) => [name, "before"])));
    await using session = await open(memory, temp.path);
    let isPinned = false;
    const pinning = session.pin().then(() => (isPinned = true));
    // The first has been read when others have their turn.
    await new Promise((resolve) => setImmediate(resolve));
    expect(isPinned).toBe(false);
    await writeFile(join(memory, "0000.md"), "meanwhile");
    await pinning;
    expect(await session.fence?.()).not.toBe(session.pinnedFence?.());
    await session.unpin?.();
    await session.pin();
    expect(await session.fence?.()).toBe(session.pinnedFence?.());
    expect(await contents(session)).toMatchObject({ "0000.md": "meanwhile", "4999.md": "before" });
  });

  it("are brought up to date while writers wait, if they are few and small", async () => {
    await writeTree(memory, { "a.md": "a", "b.md": "b" });
    await using session = await open(memory, temp.path);
    await session.pin();
    await writeFile(join(memory, "a.md"), "A");
    await rm(join(memory, "b.md"));
    await writeFile(join(memory, "c.md"), "C");
    expect(await session.freshen?.({ withinMs: 60_000 })).toBe(true);
    expect(await session.fence?.()).toBe(session.pinnedFence?.());
    const pinned = session.pinnedFence?.();
    await writeFile(join(memory, "large.bin"), Buffer.alloc(400_000));
    expect(await session.freshen?.({ withinMs: 60_000 })).toBe(false);
    expect(session.pinnedFence?.()).toBe(pinned);
    expect(await contents(session)).toEqual({ "a.md": "A", "c.md": "C" });
  });

  it("are not walked over while writers wait, if they are many", async () => {
    await writeTree(
      memory,
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`${String(index)}.md`, "n"])),
    );
    await using session = await open(memory, temp.path);
    await session.pin();
    expect(await session.freshen?.({ withinMs: 60_000 })).toBe(false);
    expect(await session.fence?.()).toBe(session.pinnedFence?.());
  });

  it("that are more than memory is given for come back whole", async () => {
    const names = Array.from({ length: 100 }, (_, index) => `${String(index)}.md`);
    await writeTree(
      memory,
      Object.fromEntries(names.map((name, index) => [name, Buffer.alloc(200_000, 65 + (index % 26))])),
    );
    await using session = await open(memory, temp.path);
    await session.pin();
    expect((await lstat(join(temp.path, "scratch/small"))).size).toBeGreaterThan(0);
    const read = await contents(session);
    for (const [index, name] of names.entries()) {
      expect(read[name] === String.fromCharCode(65 + (index % 26)).repeat(200_000), name).toBe(true);
    }
  });

  it.runIf(process.getuid?.() === 0)("within one tick of a coarse clock are seen to have changed", async () => {
    const disk = temp.join("disk");
    execFileSync("sh", ["-c", 'truncate -s 2M "$1" && mkfs.ext4 -q -I 128 "$1"', "sh", disk]);
    await mkdir(memory);
    execFileSync("mount", ["-o", "loop", disk, memory]);
    try {
      await writeFile(join(memory, "a.md"), "1");
      await using session = await open(memory, temp.path);
      await session.pin();
      const { ctimeMs } = await stat(join(memory, "a.md"));
      await writeFile(join(memory, "a.md"), "2");
      // Seconds are all that this file system keeps. In the next one it shows by the time alone.
      const looksTheSame = (await stat(join(memory, "a.md"))).ctimeMs === ctimeMs;
      console.log(`the second write ${looksTheSame ? "looks like the first" : "fell into another second"}`);
      expect(await session.fence?.()).not.toBe(session.pinnedFence?.());
    } finally {
      execFileSync("umount", ["-l", memory]);
    }
  });
});
