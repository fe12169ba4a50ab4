import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import type { BundleStore } from "@keepsake/core";
import { s3Store } from "@keepsake/s3";
import { tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { makeMemory } from "./support/agent-memory.js";
import { keepsakeCase } from "./support/keepsake-case.js";
import { memoryState } from "./support/memory-state.js";
import { runCli, runJson } from "./support/run-cli.js";
import { hasS3Server, type S3TestPlace, s3TestPlace } from "./support/s3-server.js";
import { wreckMemory } from "./support/wreck-memory.js";

const AGENT = { agent: "ana" };

/** The configuration of an agent whose snapshots and locks are on S3. */
function onS3(place: S3TestPlace) {
  const { endpoint, bucket, prefix } = place;
  const there = { use: "s3", endpoint, bucket, prefix };
  return { stores: { primary: there }, lock: { ...there, lease_secs: 30 } };
}

async function keysOf(store: BundleStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list("")) keys.push(key);
  return keys;
}

describe.runIf(hasS3Server)("an agent whose snapshots and locks are on S3", () => {
  it.each(["plain", "encrypted"])(
    "has them taken, listed, verified, restored, undone, deleted and pruned: %s",
    async (how) => {
      const place = s3TestPlace();
      await using keys = await tempDir();
      const encryption = how === "plain" ? {} : await encryptionIn(keys.path);
      await using box = await keepsakeCase({ ...onS3(place), ...encryption });
      await using store = s3Store(place);
      const { keepsake, memory } = box;
      const database = await makeMemory(memory, { commits: 2 });
      const before = await memoryState(memory);
      const { record } = await keepsake.snapshot({ ...AGENT, label: "good" });
      const folder = "tenants/default/snapshots/ana/";
      const suffix = how === "plain" ? "" : ".age";
      expect(await keysOf(store)).toEqual([
        `${folder}${record.id}.json`,
        `${folder}${record.id}.tar.zst${suffix}`,
        `${folder}${record.id}.tar.zst${suffix}.sha256`,
      ]);

      await wreckMemory(memory, database);
      const wrecked = await memoryState(memory);
      const report = await keepsake.restore({ ...AGENT, ref: record.id });
      expect(await memoryState(memory)).toEqual(before);
      await keepsake.restore({ ...AGENT, ref: report.preSnapshot ?? "" });
      expect(await memoryState(memory)).toEqual(wrecked);

      expect(await keepsake.verify({ ...AGENT, ref: record.id, deep: true })).toMatchObject({ ok: true });
      const { snapshots } = await keepsake.list(AGENT);
      expect(snapshots).toHaveLength(3);
      expect(snapshots.at(-1)).toMatchObject({ id: record.id, verifiedAtMs: expect.any(Number) as number });
      const last = await keepsake.snapshot(AGENT);
      await keepsake.delete({ ...AGENT, ref: report.preSnapshot ?? "" });
      const pruned = await keepsake.prune({ ...AGENT, keep: { last: 1 } });
      expect(pruned.kept).toContain(last.record.id);
      expect((await keepsake.list(AGENT)).snapshots.length).toBe(pruned.kept.length);
      // Nobody holds the lock any more, and all that is there belongs to a snapshot.
      const { findings, ok } = await keepsake.doctor({});
      expect(findings.filter(({ status }) => status !== "ok")).toEqual([]);
      expect(ok).toBe(true);
      expect(findings.map(({ name }) => name)).toEqual(expect.arrayContaining(["no_overwrite", "locks"]));
      expect((await readdir(box.stateRoot)).sort()).not.toContain("tenants");
    },
  );

  it("gets a bundle out and in, and a record back that was lost", async () => {
    const place = s3TestPlace();
    await using box = await keepsakeCase(onS3(place));
    await using store = s3Store(place);
    const { keepsake, memory } = box;
    await writeFile(`${memory}/note.md`, "one\n");
    const { record } = await keepsake.snapshot(AGENT);
    const exported = await keepsake.export({ ...AGENT, ref: record.id, to: box.temp.path });
    expect(exported.fileSha256).toBe(record.fileSha256);

    await store.delete(`tenants/default/snapshots/ana/${record.id}.json`);
    expect((await keepsake.list(AGENT)).snapshots).toEqual([]);
    const orphaned = await keepsake.doctor({});
    expect(orphaned.findings).toContainEqual(expect.objectContaining({ name: "orphan", status: "warning" }));
    await keepsake.doctor({ reindex: true });
    expect((await keepsake.list(AGENT)).snapshots.map(({ id }) => id)).toEqual([record.id]);

    for (const key of await keysOf(store)) await store.delete(key);
    const imported = await keepsake.import({ ...AGENT, bundleFile: exported.bundle });
    expect(imported.id).toBe(record.id);
    await rm(`${memory}/note.md`);
    await keepsake.restore({ ...AGENT, ref: record.id });
    expect(await keepsake.verify({ ...AGENT, ref: record.id })).toMatchObject({ ok: true });
  });

  it("is worked on by one at a time, from two machines", async () => {
    const place = s3TestPlace();
    // Two state roots are two machines: what they share is on S3.
    await using one = await keepsakeCase({ ...onS3(place), lock: { ...onS3(place).lock, timeout_secs: 120 } });
    await using other = await keepsakeCase({ ...onS3(place), lock: { ...onS3(place).lock, timeout_secs: 120 } });
    await writeFile(`${one.memory}/note.md`, "one\n");
    await writeFile(`${other.memory}/note.md`, "other\n");
    const taken = await Promise.all([one, other, one, other].map(({ keepsake }) => keepsake.snapshot(AGENT)));
    const { snapshots, unreadable } = await one.keepsake.list(AGENT);
    expect(unreadable).toEqual([]);
    expect(snapshots.map(({ id }) => id).sort()).toEqual(taken.map(({ record }) => record.id).sort());
  });

  it("is told by doctor what is wrong with the place", async () => {
    const place = s3TestPlace();
    await using box = await keepsakeCase(onS3({ ...place, bucket: "keepsake-nobody-made-this" }));
    const { ok, findings } = await box.keepsake.doctor({});
    expect(ok).toBe(false);
    for (const name of ["store", "locks"]) {
      expect(findings).toContainEqual(
        expect.objectContaining({ name, status: "problem", details: { code: "E_CONFIG" } }) as object,
      );
    }
  });

  it("does the same through the command, which says nothing that it need not", async () => {
    const place = s3TestPlace();
    await using temp = await tempDir();
    const memory = temp.join("memory");
    await mkdir(memory);
    await writeFile(`${memory}/note.md`, "one\n");
    const config = { agents: { ana: { memory } }, ...onS3(place) };
    await writeFile(temp.join("keepsake.config.json"), JSON.stringify(config));
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = process.env;
    // A process of its own: the usual chain of credentials reads the process's environment.
    const options = { cwd: temp.path, env: { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }, wrapper: [] };
    const taken = await runJson(["snapshot", "--agent", "ana"], options);
    await rm(`${memory}/note.md`);
    await runJson(["restore", "--agent", "ana", (taken as { id: string }).id, "--yes"], options);
    expect(await readdir(memory)).toEqual(["note.md"]);
    const doctor = await runCli(["doctor", "--json"], options);
    expect(doctor).toMatchObject({ code: 0, stderr: "" });

    const refused = await runCli(["list", "--agent", "ana", "--json"], {
      ...options,
      env: { ...options.env, AWS_SECRET_ACCESS_KEY: "hunter2" },
    });
    expect(refused.stderr).not.toContain("hunter2");
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: "E_PERMISSION" } });
  });
});

async function encryptionIn(folder: string) {
  const { generateIdentity, identityFileText } = await import("@keepsake/standard");
  const pair = await generateIdentity();
  const file = `${folder}/ana.key`;
  await writeFile(file, identityFileText(pair, new Date(0)), { mode: 0o600 });
  return { encryption: { enabled: true, recipients: [pair.recipient], identity_file: file } };
}
