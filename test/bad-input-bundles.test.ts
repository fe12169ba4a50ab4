import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isKeepsakeError, streamOf } from "@keepsake/core";
import { age, generateIdentity, identityFileText } from "@keepsake/age";
import { collect, treeDigest, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import {
  type DeclaredArtifact,
  handMadeBundle,
  handMadeManifest,
  rawArchive,
  type RawEntry,
} from "../packages/engine/test/support/hand-made.js";
import { git } from "./support/agent-memory.js";
import { compressed, compressedZeros, sendBundle, sendBytes, tarHeader } from "./support/hostile-bundle.js";
import { type KeepsakeCase, keepsakeCase } from "./support/keepsake-case.js";
import { runCli } from "./support/run-cli.js";

const NOTE: DeclaredArtifact = { path: "memory_files/note.md", content: "hello\n" };
const LINK: DeclaredArtifact = { path: "memory_files/latest", type: "symlink", linkTarget: "note.md" };
const noteEntry: RawEntry = { name: NOTE.path, content: "hello\n" };

/** A bundle from elsewhere, a live memory, and a folder beside it that hostile paths would reach. */
async function liveCase(): Promise<KeepsakeCase & { readonly file: string }> {
  const box = await keepsakeCase({ restore: { pre_snapshot: false } });
  await writeTree(box.memory, { "note.md": "live\n", "kept/x.md": "x" });
  await mkdir(box.temp.join("sent"));
  return Object.assign(box, { file: box.temp.join("sent", "bundle.tar.zst") });
}

/** The whole of the case's folder but for Keepsake's own, with all times. */
function surroundings(box: KeepsakeCase): Promise<unknown> {
  return treeDigest(box.temp.path, { exclude: (path) => path === "state" });
}

/** Restores and imports what was sent; both must be refused with one code, and nothing may be left or changed. */
async function refusalOf(box: KeepsakeCase & { readonly file: string }): Promise<string> {
  await mkdir(box.stateRoot, { recursive: true });
  const before = await surroundings(box);
  const request = { agent: "ana", bundleFile: box.file };
  const codes: string[] = [];
  for (const work of [() => box.keepsake.restore(request), () => box.keepsake.import(request)]) {
    codes.push(
      await work().then(
        () => "accepted",
        (error: unknown) => (isKeepsakeError(error) ? error.code : String(error)),
      ),
    );
    expect(await surroundings(box)).toEqual(before);
    const state = Object.entries(await treeDigest(box.stateRoot));
    const files = state.filter(([path, { type }]) => type !== "directory" && !path.startsWith("agents/"));
    expect(
      files.map(([path]) => path),
      "nothing in staging, journals or store",
    ).toEqual([]);
    expect(state.filter(([path]) => /^staging\/[^/]+\/[^/]+\//.test(path))).toEqual([]);
  }
  expect((await box.keepsake.verify({ bundleFile: box.file })).ok).toBe(false);
  expect(codes[0]).toBe(codes[1]);
  return codes[0] ?? "";
}

async function refusalOfArchive(archive: Uint8Array): Promise<string> {
  await using box = await liveCase();
  await sendBundle(box.file, archive);
  return await refusalOf(box);
}

it("a bundle that is as it should be is restored and imported by the same means", async () => {
  await using box = await liveCase();
  await sendBundle(box.file, await handMadeBundle([LINK, NOTE]));
  await box.keepsake.import({ agent: "ana", bundleFile: box.file });
  await box.keepsake.restore({ agent: "ana", bundleFile: box.file });
  expect(Object.keys(await treeDigest(box.memory))).toEqual(["latest", "note.md"]);
});

describe("a hostile bundle is refused, before anything is written outside of staging", () => {
  const paths: readonly [string, string][] = [
    ["absolute", "/etc/keepsake-was-here"],
    ["with ..", "memory_files/../../../sent/was-here"],
    ["with a drive", "C:/was-here"],
    ["with a backslash", "memory_files\\..\\was-here"],
    ["with an empty segment", "memory_files//was-here"],
    ["with an over-long segment", `memory_files/${"x".repeat(800)}`],
  ];
  it.each(paths)("a path %s", async (_what, path) => {
    expect(await refusalOfArchive(await handMadeBundle([{ ...NOTE, path }]))).toBe("E_UNSAFE_PATH");
    expect(await refusalOfArchive(await handMadeBundle([NOTE], [{ name: path, content: "hello\n" }]))).toBe(
      "E_UNSAFE_PATH",
    );
  });

  const archives: readonly [string, string, () => Promise<Uint8Array>][] = [
    [
      "a NUL in a path",
      "E_UNSAFE_PATH",
      () =>
        rawArchive([{ name: "manifest.json", content: handMadeManifest([{ ...NOTE, path: "memory_files/a\0b" }]) }]),
    ],
    ["a link out of the tree", "E_UNSAFE_PATH", () => handMadeBundle([{ ...LINK, linkTarget: "../../sent" }])],
    ["an absolute link", "E_UNSAFE_PATH", () => handMadeBundle([{ ...LINK, linkTarget: "/etc" }])],
    ["a file through a link", "E_UNSAFE_PATH", () => handMadeBundle([LINK, { path: `${LINK.path}/x`, content: "y" }])],
    [
      "a hard link",
      "E_UNSAFE_PATH",
      () => handMadeBundle([NOTE], [{ name: NOTE.path, type: "link", linkname: "manifest.json" }]),
    ],
    ["a device", "E_UNSAFE_PATH", () => handMadeBundle([NOTE], [{ name: NOTE.path, type: "character-device" }])],
    ["a FIFO", "E_UNSAFE_PATH", () => handMadeBundle([NOTE], [{ name: NOTE.path, type: "fifo" }])],
    ["two entries with one name", "E_MANIFEST", () => handMadeBundle([NOTE], [noteEntry, noteEntry])],
    [
      "two names that differ in case",
      "E_UNSAFE_PATH",
      () => handMadeBundle([NOTE, { ...NOTE, path: "memory_files/NOTE.md" }]),
    ],
    [
      "two names that Unicode makes one",
      "E_UNSAFE_PATH",
      () =>
        handMadeBundle(["caf\u00e9", "cafe\u0301"].map((name) => ({ path: `memory_files/${name}`, content: name }))),
    ],
    [
      "an entry that is not declared",
      "E_MANIFEST",
      () => handMadeBundle([NOTE], [noteEntry, { name: "memory_files/more.md", content: "x" }]),
    ],
    ["a declared entry that is missing", "E_MANIFEST", () => handMadeBundle([NOTE, LINK], [noteEntry])],
    ["another size", "E_INTEGRITY", () => handMadeBundle([NOTE], [{ ...noteEntry, content: "hello you\n" }])],
    ["another digest", "E_INTEGRITY", () => handMadeBundle([NOTE], [{ ...noteEntry, content: "hellO\n" }])],
    [
      "a manifest that is not first",
      "E_MANIFEST",
      () => rawArchive([noteEntry, { name: "manifest.json", content: handMadeManifest([NOTE]) }]),
    ],
    [
      "a second manifest",
      "E_MANIFEST",
      () => handMadeBundle([NOTE], [noteEntry, { name: "manifest.json", content: handMadeManifest([NOTE]) }]),
    ],
    [
      "a manifest that was changed after it was sealed",
      "E_INTEGRITY",
      async () => {
        const manifest = handMadeManifest([NOTE]).replace('"created_by":"a test"', '"created_by":"another"');
        return rawArchive([{ name: "manifest.json", content: manifest }, noteEntry]);
      },
    ],
    [
      "a newer manifest",
      "E_FORMAT_TOO_NEW",
      () =>
        rawArchive([{ name: "manifest.json", content: handMadeManifest([NOTE], { manifest_version: 2 }) }, noteEntry]),
    ],
    [
      "another archive after the end",
      "E_TRAILING_DATA",
      async () => Buffer.concat([await handMadeBundle([NOTE], []), await rawArchive([noteEntry])]),
    ],
    ["an end in the middle of an entry", "E_TRUNCATED", async () => (await handMadeBundle([NOTE])).subarray(0, -1500)],
    ["an end at an entry's boundary", "E_TRUNCATED", async () => (await handMadeBundle([NOTE])).subarray(0, -1024)],
    ["nothing at all", "E_MANIFEST", () => rawArchive([])],
  ];
  it.each(archives)("%s", async (_what, code, archive) => {
    expect(await refusalOfArchive(await archive())).toBe(code);
  });
});

describe("a bundle that is larger than it looks", () => {
  const declared = 10;
  const manifest = (): string => handMadeManifest([{ path: "memory_files/zeros", content: "\0".repeat(declared) }]);

  async function sendBomb(file: string, headerSize: number, mebibytes: number): Promise<void> {
    const archive = await rawArchive([{ name: "manifest.json", content: manifest() }]);
    const front = Buffer.concat([archive.subarray(0, -1024), await tarHeader("memory_files/zeros", headerSize)]);
    await sendBytes(file, Buffer.concat([await compressed(front), await compressedZeros(mebibytes)]));
  }

  it("ten gibibytes of zeros that the manifest calls ten bytes are not unpacked", async () => {
    await using box = await liveCase();
    await sendBomb(box.file, 10 * 2 ** 30, 10 * 1024);
    expect(await refusalOf(box)).toBe("E_INTEGRITY");
  });

  it("nor when they come as the padding after the end", async () => {
    await using box = await liveCase();
    await sendBomb(box.file, declared, 10 * 1024);
    expect(await refusalOf(box)).toBe("E_TRAILING_DATA");
  });

  it("one over limits.max_bundle_bytes is not opened", async () => {
    const box = await keepsakeCase({ restore: { pre_snapshot: false }, limits: { max_bundle_bytes: 1024 } });
    await using _box = box;
    await writeTree(box.memory, { "note.md": "live\n" });
    await mkdir(box.temp.join("sent"));
    const file = box.temp.join("sent", "bundle.tar.zst");
    const content = randomBytes(3000).toString("base64");
    await sendBundle(file, await handMadeBundle([{ ...NOTE, content }]));
    await expect(box.keepsake.restore({ agent: "ana", bundleFile: file })).rejects.toMatchObject({ code: "E_LIMIT" });
    await expect(box.keepsake.import({ agent: "ana", bundleFile: file })).rejects.toMatchObject({ code: "E_LIMIT" });
  });

  it("a manifest of 65 MiB is not read", async () => {
    await using box = await liveCase();
    const size = 65 << 20;
    await sendBytes(
      box.file,
      Buffer.concat([await compressed(await tarHeader("manifest.json", size)), await compressedZeros(66)]),
    );
    expect(await refusalOf(box)).toBe("E_LIMIT");
  });
});

describe("compressed or encrypted bytes that are none", () => {
  it("an archive with a tail that is none", async () => {
    for (const tail of ["x", "x".repeat(512)]) {
      const archive = Buffer.concat([await handMadeBundle([NOTE]), Buffer.from(tail)]);
      expect(await refusalOfArchive(archive)).toMatch(/^E_(TRAILING_DATA|TRUNCATED|INTEGRITY)$/);
    }
  });

  it.each([
    ["no zstd at all", async () => Buffer.from("not compressed")],
    ["half of a frame", async () => (await compressed(await handMadeBundle([NOTE]))).subarray(0, 200)],
    [
      "a frame and more",
      async () => Buffer.concat([await compressed(await handMadeBundle([NOTE])), Buffer.from("xyz")]),
    ],
    ["nothing", async () => Buffer.alloc(0)],
  ])("%s", async (_what, bytes) => {
    await using box = await liveCase();
    await sendBytes(box.file, await bytes());
    expect(await refusalOf(box)).toMatch(/^E_(INTEGRITY|TRUNCATED|TRAILING_DATA|MANIFEST)$/);
  });

  it("a payload cut at the end of an age chunk", async () => {
    await using box = await liveCase();
    const { recipient, identity } = await generateIdentity();
    const key = box.temp.join("sent", "key.txt");
    await writeFile(key, identityFileText({ recipient, identity }, new Date(0)), { mode: 0o600 });
    const content = randomBytes(150_000).toString("base64");
    const archive = await rawArchive([
      { name: "manifest.json", content: handMadeManifest([{ ...NOTE, content }]) },
      { ...noteEntry, content },
    ]);
    const whole = await collect(age({ recipients: [recipient] }).encode(streamOf(archive)));
    const file = box.temp.join("sent", "bundle.tar.age");
    const restore = () => box.keepsake.restore({ agent: "ana", bundleFile: file, identityFiles: [key] });
    const payload = whole.length % (64 * 1024 + 16);
    await sendBytes(file, whole.subarray(0, whole.length - payload));
    const before = await surroundings(box);
    await expect(restore()).rejects.toMatchObject({
      code: expect.stringMatching(/^E_(TRUNCATED|INTEGRITY)$/) as string,
    });
    expect(await surroundings(box)).toEqual(before);
  });
});

describe("a repository that would run a program", () => {
  it("comes back with it disabled, and the notices say so", async () => {
    await using box = await keepsakeCase();
    const ran = box.temp.join("ran");
    await writeTree(box.memory, { "a.md": "a\n" });
    await git(box.memory, "init", "-q", "-b", "main");
    await git(box.memory, "add", "-A");
    await git(box.memory, "commit", "-q", "-m", "one");
    await writeTree(box.memory, { ".git/hooks/post-checkout": { file: `#!/bin/sh\ntouch ${ran}\n`, mode: 0o755 } });
    await git(box.memory, "config", "core.fsmonitor", `touch ${ran}; false`);
    await box.keepsake.snapshot({ agent: "ana" });
    const elsewhere = box.temp.join("elsewhere");
    const { notices } = await box.keepsake.restore({ agent: "ana", ref: "latest", memory: elsewhere });
    expect(notices.join("\n")).toMatch(/hook/i);
    expect(notices.join("\n")).toMatch(/fsmonitor/i);
    await git(elsewhere, "status");
    await git(elsewhere, "checkout", "-q", "-b", "other");
    expect(Object.keys(await treeDigest(box.temp.path))).not.toContain("ran");
    // The naive way: as it was, the same commands run it.
    await git(box.memory, "status");
    expect(Object.keys(await treeDigest(box.temp.path))).toContain("ran");
  });
});

describe("through the command", () => {
  it.each([
    ["E_UNSAFE_PATH", 4, () => handMadeBundle([{ ...NOTE, path: "/etc/keepsake-was-here" }])],
    [
      "E_FORMAT_TOO_NEW",
      6,
      () =>
        rawArchive([{ name: "manifest.json", content: handMadeManifest([NOTE], { manifest_version: 2 }) }, noteEntry]),
    ],
  ] as const)("%s ends with %i, for restore, import and verify", async (code, exit, archive) => {
    await using box = await liveCase();
    await sendBundle(box.file, await archive());
    const before = await surroundings(box);
    const common = ["--agent", "ana", "--root", join(box.temp.path, "state"), "--json", "--from", box.file];
    for (const args of [
      ["restore", "--memory", box.memory, "--yes", ...common],
      ["import", ...common],
    ]) {
      const run = await runCli(args, { cwd: box.temp.path });
      expect(run, run.stderr).toMatchObject({ code: exit, stdout: "" });
      expect(JSON.parse(run.stderr)).toMatchObject({ error: { code } });
    }
    const verified = await runCli(["verify", "--bundle", box.file, "--json"], { cwd: box.temp.path });
    expect(verified.code).toBe(exit);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: false });
    expect(await surroundings(box)).toMatchObject(before as object);
  });
});
