import { chmod, mkdir, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ArtifactSource, parseAgentId, parseTenantId, type Plugin } from "@keepsake/core";
import { openKeepsake } from "@keepsake/standard";
import {
  pluginConformance,
  runConformance,
  sourceConformance,
  tempDir,
  type TempDir,
  treeDigest,
  writeTree,
} from "@keepsake/testkit";
import { describe, expect, it } from "vitest";

const file = fileURLToPath(new URL("./one-file.mjs", import.meta.url));
const { default: plugin, oneFile } = (await import(file)) as {
  default: Plugin;
  oneFile: (options: { readonly path: string }) => ArtifactSource;
};
const CONTACTS = '{"ben":"+49 30 1234"}\n';

/** A memory, and beside it the file of another program. */
async function world(): Promise<TempDir> {
  const dir = await tempDir();
  await writeTree(dir.path, {
    "ana/note.md": "hello\n",
    "book/contacts.json": { file: CONTACTS, mode: 0o640, mtimeMs: 1_700_000_000_123 },
  });
  return dir;
}

const open = (dir: TempDir, path = "../book/contacts.json", plugins: readonly Plugin[] = [plugin]) =>
  openKeepsake({
    plugins,
    stateRoot: dir.join("state"),
    config: { sources: [{ use: "one-file", id: "contacts", path }, { use: "memdir" }] },
  });

describe("the one-file source", () => {
  it("brings the file back, its mode and time too, and takes away what was not there", async () => {
    await using dir = await world();
    await using keepsake = await open(dir);
    const agent = { agent: "ana", memory: dir.join("ana") };
    const before = await treeDigest(dir.join("book"), { mtimes: "files" });
    const { manifest, record } = await keepsake.snapshot({ ...agent, redact: false });
    expect(manifest?.artifacts.map((artifact) => artifact.pathInBundle)).toEqual([
      "contacts/contacts.json",
      "memory_files/note.md",
    ]);

    await writeFile(dir.join("book/contacts.json"), "{}\n");
    await chmod(dir.join("book/contacts.json"), 0o600);
    const { preSnapshot } = await keepsake.restore({ ...agent, ref: record.id });
    expect(await treeDigest(dir.join("book"), { mtimes: "files" })).toEqual(before);

    // The undo, and the same again: nothing is left to change the second time.
    await keepsake.restore({ ...agent, ref: preSnapshot ?? "" });
    expect(await readFile(dir.join("book/contacts.json"), "utf8")).toBe("{}\n");
    await keepsake.restore({ ...agent, ref: record.id });
    expect((await keepsake.restore({ ...agent, ref: record.id, dryRun: true })).plan).toEqual([]);

    await rm(dir.join("book"), { recursive: true });
    const without = await keepsake.snapshot({ ...agent, redact: false });
    await keepsake.restore({ ...agent, ref: record.id });
    expect(await readFile(dir.join("book/contacts.json"), "utf8")).toBe(CONTACTS);
    await keepsake.restore({ ...agent, ref: without.record.id });
    await expect(stat(dir.join("book/contacts.json"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("leaves a file inside the memory to this source alone", async () => {
    await using dir = await world();
    await writeFile(dir.join("ana/contacts.json"), CONTACTS);
    await using keepsake = await open(dir, "contacts.json");
    const { manifest } = await keepsake.snapshot({ agent: "ana", memory: dir.join("ana") });
    expect(manifest?.artifacts.map((artifact) => artifact.source)).toEqual(["contacts", "memory_files"]);
  });

  it("opens the file when it is read: a content that nobody asks for leaves nothing open", async () => {
    await using dir = await world();
    const agent = { tenant: parseTenantId("default"), agent: parseAgentId("ana") };
    const target = { agent, paths: { memory: dir.join("ana") }, scratchDir: dir.path, claimed: [] };
    await using session = await oneFile({ path: "../book/contacts.json" }).open(target);
    await session.pin();
    const kept = [];
    for await (const entry of session.entries()) kept.push(entry);
    expect(kept).toHaveLength(1);
    const open = await readdir("/proc/self/fd");
    const files = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
    expect(files.filter((name) => name.endsWith("contacts.json"))).toEqual([]);
  });

  it("is found by a configuration file", async () => {
    await using dir = await world();
    await writeTree(dir.path, {
      "keepsake.config.yaml": `plugins: [${JSON.stringify(file)}]\nsources: [{ use: one-file, path: ../book/contacts.json, required: true }]\n`,
    });
    await using keepsake = await openKeepsake({ config: { file: join(dir.path, "keepsake.config.yaml") } });
    expect((await keepsake.snapshot({ agent: "ana", memory: dir.join("ana") })).record.complete).toBe(true);
    await rm(dir.join("book/contacts.json"));
    await expect(keepsake.snapshot({ agent: "ana", memory: dir.join("ana") })).rejects.toMatchObject({
      code: "E_NOTHING_TO_CAPTURE",
    });
  });
});

runConformance(
  [
    ...sourceConformance({
      async create(dir) {
        const memory = join(dir, "ana");
        const contacts = join(dir, "book/contacts.json");
        await mkdir(memory);
        await mkdir(dirname(contacts));
        return {
          source: oneFile({ path: "../book/contacts.json" }),
          memory,
          live: {
            make: () =>
              writeTree(dir, { "book/contacts.json": { file: CONTACTS, mode: 0o640, mtimeMs: 1_700_000_000_123 } }),
            async change() {
              await writeFile(contacts, `{"n":${String(Math.random())}}`);
              await chmod(contacts, 0o600);
            },
            read: () => treeDigest(dirname(contacts), { mtimes: "files" }),
          },
        };
      },
    }),
    ...pluginConformance({ create: () => ({ plugin, module: file, options: () => ({ path: "contacts.json" }) }) }),
  ],
  { describe, it },
);
