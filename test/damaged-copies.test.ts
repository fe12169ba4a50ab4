import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256Hex, type SnapshotRecord } from "@keepsake/core";
import { openKeepsake } from "@keepsake/standard";
import { tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { runCli } from "./support/run-cli.js";

const AGENT = { agent: "ana" };
const FOLDER = "tenants/default/snapshots/ana";
const NAMES = ["a", "b", "c"] as const;
type Name = (typeof NAMES)[number];

/** One snapshot, the same in three folders. */
async function box(stores: Readonly<Record<string, unknown>> = {}) {
  const dir = await tempDir();
  const memory = join(dir.path, "memory");
  await mkdir(memory);
  await writeFile(join(memory, "note.md"), "a note");
  const config = {
    state_root: "./state",
    stores: {
      primary: { use: "replicated", stores: NAMES, write: { quorum: 2 } },
      ...Object.fromEntries(NAMES.map((name) => [name, { use: "local-fs", root: `./${name}` }])),
      ...stores,
    },
    agents: { "*": { memory: "./memory" } },
    log: { level: "silent" as const },
  };
  await writeFile(join(dir.path, "keepsake.config.json"), JSON.stringify(config));
  const keepsake = await openKeepsake({ config: { file: "keepsake.config.json" }, cwd: dir.path, env: {} });
  const { record } = await keepsake.snapshot(AGENT);
  const file = (store: Name, suffix: string) => join(dir.path, store, FOLDER, `${record.id}${suffix}`);
  return {
    dir: dir.path,
    keepsake,
    record,
    file,
    sync: (one: Name, other: Name, more: { readonly deep?: boolean; readonly dryRun?: boolean } = {}) =>
      keepsake.sync({
        stores: [
          { name: one, store: keepsake.store(one) },
          { name: other, store: keepsake.store(other) },
        ],
        ...more,
      }),
    /** what each store has, by name: of each file its digest */
    all: () => Promise.all(NAMES.map((name) => contentsOf(join(dir.path, name, FOLDER)))),
    problems: async () =>
      (await keepsake.doctor({})).findings.filter(({ status }) => status === "problem").map(({ name }) => name),
    async [Symbol.asyncDispose]() {
      await keepsake[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function contentsOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder)).toSorted();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, sha256Hex(await readFile(join(folder, name)))] as const)),
  );
}

/** Other bytes of the same length. */
async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

function forged({ fileSha256 }: SnapshotRecord): string {
  return `${fileSha256.replaceAll(/[0-9]/g, "e")}\n`;
}

describe("sync", () => {
  it("--deep finds a bundle of the same size with other bytes, and puts it right from the other store", async () => {
    await using at = await box();
    const before = await at.all();
    await flip(at.file("b", ".tar.zst"));
    expect(await at.sync("a", "b")).toMatchObject({ copied: [], repaired: [], differing: [] });
    const damaged = await at.all();
    expect(damaged).not.toEqual(before);
    const plan = await at.sync("a", "b", { deep: true, dryRun: true });
    expect(plan.repaired).toMatchObject([{ id: at.record.id, from: "a", to: "b", parts: ["bundle"] }]);
    expect(await at.all()).toEqual(damaged);
    expect(await at.sync("b", "a", { deep: true })).toMatchObject({
      repaired: [{ from: "a", to: "b", parts: ["bundle"] }],
      differing: [],
    });
    expect(await at.all()).toEqual(before);
    expect((await at.sync("a", "b", { deep: true })).repaired).toEqual([]);
  });

  it("puts right what is known to be damaged without being asked to read: size, digest, record", async () => {
    for (const [suffix, content, part] of [
      [".tar.zst", "short", "bundle"],
      [".tar.zst.sha256", undefined, "digest"],
      [".tar.zst.sha256", "none\n", "digest"],
      [".json", "{", "record"],
      [".json", "x".repeat(2_000_000), "record"],
    ] as const) {
      await using at = await box();
      const before = await at.all();
      await writeFile(at.file("c", suffix), content ?? forged(at.record));
      expect(await at.sync("c", "a")).toMatchObject({
        repaired: [{ from: "a", to: "c", parts: [part] }],
        differing: [],
      });
      expect(await at.all()).toEqual(before);
    }
  });

  it("takes from each what it has whole: a bundle from one, a digest and a record from the other", async () => {
    await using at = await box();
    const before = await at.all();
    await writeFile(at.file("a", ".tar.zst.sha256"), forged(at.record));
    await flip(at.file("b", ".tar.zst"));
    await writeFile(at.file("b", ".json"), "{");
    const { repaired, differing } = await at.sync("a", "b", { deep: true });
    expect(differing).toEqual([]);
    expect(repaired.map(({ to, parts }) => [to, ...parts])).toEqual([["b", "record", "bundle"]]);
    expect((await at.sync("a", "b")).repaired.map(({ to, parts }) => [to, ...parts])).toEqual([["a", "digest"]]);
    expect(await at.all()).toEqual(before);
  });

  it("--deep tells which of two records is forged by what lies beside them", async () => {
    await using at = await box();
    const before = await at.all();
    const text = await readFile(at.file("a", ".json"), "utf8");
    await writeFile(at.file("a", ".json"), text.replaceAll(at.record.fileSha256, forged(at.record).trim()));
    expect((await at.sync("a", "b")).differing).toMatchObject([{ id: at.record.id, code: "E_INTEGRITY" }]);
    expect((await at.sync("a", "b", { deep: true })).repaired).toMatchObject([
      { from: "b", to: "a", parts: ["record"] },
    ]);
    expect(await at.all()).toEqual(before);
  });

  it("changes nothing where it is whole in neither", async () => {
    await using at = await box();
    await flip(at.file("a", ".tar.zst"));
    await writeFile(at.file("b", ".tar.zst"), "short");
    const damaged = await at.all();
    expect((await at.sync("a", "b", { deep: true })).differing).toMatchObject([{ code: "E_INTEGRITY" }]);
    expect(await at.all()).toEqual(damaged);
  });
});

describe("a store of copies", () => {
  it("goes on with a forged digest or a broken record in one, and doctor says which, and how to mend it", async () => {
    await using at = await box();
    const before = await at.all();
    await writeFile(at.file("a", ".tar.zst.sha256"), forged(at.record));
    await writeFile(at.file("b", ".json"), "{");
    expect(await at.problems()).toEqual(["replica", "replica"]);
    expect((await at.keepsake.list(AGENT)).snapshots).toEqual([at.record]);
    expect(at.keepsake.takeStoreTroubles().map(({ store, code }) => `${store} ${code}`)).toContain("b differs");
    const { stdout } = await runCli(["doctor"], { cwd: at.dir });
    const [, command = ""] = /hint: `keepsake (sync [a-c] b)`/.exec(stdout) ?? [];
    expect(await runCli(command.split(" "), { cwd: at.dir })).toMatchObject({ code: 0 });
    expect(await at.problems()).toEqual(["replica"]);

    expect(await at.keepsake.verify({ ...AGENT, ref: "latest" })).toMatchObject({ ok: true });
    expect(await at.problems()).toEqual([]);
    const [a, b, c] = await at.all();
    expect([b, c]).toEqual([a, a]);
    // The check that was just made is noted in the records.
    const name = `${at.record.id}.json`;
    expect({ ...a, [name]: "" }).toEqual({ ...before[0], [name]: "" });
  }, 60_000);
});

describe("a record that is broken in the only store", () => {
  it("is listed as such, and made again from its bundle as doctor's hint says", async () => {
    await using at = await box({ primary: { use: "local-fs", root: "./a" }, b: undefined, c: undefined });
    // How long the snapshot took is in no bundle, so a record made again does not tell it.
    const { phases_ms: _times, ...fields } = JSON.parse(await readFile(at.file("a", ".json"), "utf8")) as object & {
      phases_ms: object;
    };
    const whole = `${JSON.stringify(fields, null, 2)}\n`;
    await writeFile(at.file("a", ".json"), whole.slice(0, -20));
    const listed = await runCli(["list", "--agent", "ana"], { cwd: at.dir });
    expect([listed.code, listed.stderr]).toEqual([3, expect.stringContaining("`keepsake doctor` says more")]);
    const { findings } = await at.keepsake.doctor({});
    expect(findings.find(({ name }) => name === "record")?.hint).toContain("doctor --reindex");
    expect((await at.keepsake.doctor({ reindex: true })).ok).toBe(true);
    expect(await readFile(at.file("a", ".json"), "utf8")).toBe(whole);
    // What a newer program wrote is no rubbish.
    const newer = whole.replace('"record_version": 1', '"record_version": 9');
    await writeFile(at.file("a", ".json"), newer);
    await at.keepsake.doctor({ reindex: true });
    expect(await readFile(at.file("a", ".json"), "utf8")).toBe(newer);
  }, 60_000);
});

describe("a far store that is gone", () => {
  it("is told by list and doctor, which never advise to delete what is only there; it is whole when it is back", async () => {
    const stores = { primary: { use: "tiered", hot: "a", cold: "b", after_days: 0.00001 } };
    await using at = await box(stores);
    const { id } = at.record;
    await expect
      .poll(async () => {
        await at.keepsake.recover({});
        return (await readdir(join(at.dir, "b"), { recursive: true })).join();
      })
      .toContain(`${id}.tar.zst.sha256`);
    expect((await runCli(["list", "--agent", "ana"], { cwd: at.dir })).code).toBe(0);
    await cp(join(at.dir, "b"), join(at.dir, "away"), { recursive: true });
    await rm(join(at.dir, "b"), { recursive: true });

    const listed = await runCli(["list", "--agent", "ana"], { cwd: at.dir });
    expect([listed.code, listed.stdout]).toEqual([3, expect.stringContaining(id.slice(0, 8))]);
    expect(listed.stderr).toContain(`${id}: its bundle is not in the store`);
    const told = await runCli(["doctor"], { cwd: at.dir });
    expect(told.code).toBe(1);
    expect(told.stdout).toContain("neither there nor in the store b");
    expect(told.stdout).not.toMatch(/or delete|keepsake delete/);

    await cp(join(at.dir, "away"), join(at.dir, "b"), { recursive: true });
    expect((await runCli(["list", "--agent", "ana"], { cwd: at.dir })).code).toBe(0);
    expect(await at.keepsake.verify({ ...AGENT, ref: id, deep: true })).toMatchObject({ ok: true });
  }, 60_000);
});
