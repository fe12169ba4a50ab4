import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BundleStore, definePlugin, isKeepsakeError, KeepsakeError, storeProvider } from "@keepsake/core";
import { localFs } from "@keepsake/local-fs";
import { openKeepsake } from "@keepsake/standard";
import { tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { makeMemory } from "./support/agent-memory.js";
import { memoryState } from "./support/memory-state.js";
import { runCli } from "./support/run-cli.js";
import { wreckMemory } from "./support/wreck-memory.js";

const AGENT = { agent: "ana" };
const FOLDER = "tenants/default/snapshots/ana";

/** A folder that is down while a file of its name with `.down` lies beside it. */
function fragile(root: string, id: string): BundleStore {
  const store = localFs({ root, id });
  return new Proxy(store, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== "function" || key === "describe") return member;
      return (...args: unknown[]): unknown => {
        if (!existsSync(`${root}.down`)) return Reflect.apply(member, target, args) as unknown;
        const error = new KeepsakeError("E_IO", "The disk is gone.");
        if (key !== "list") return Promise.reject(error);
        return (async function* () {
          yield await Promise.reject(error);
        })();
      };
    },
  });
}

const fragilePlugin = (dir: string) =>
  definePlugin({
    name: "fragile",
    api: 1,
    providers: [
      storeProvider("fragile", { create: (_options, _resolver, { id = "x" }) => fragile(join(dir, id), id) }),
    ],
  });

const STORES = {
  primary: { use: "replicated", stores: ["a", "b", "c"], write: { quorum: 2 } },
  a: { use: "fragile" },
  b: { use: "fragile" },
  c: { use: "fragile" },
};

async function box(stores: Readonly<Record<string, { use: string } & Record<string, unknown>>> = STORES) {
  const dir = await tempDir();
  const memory = join(dir.path, "memory");
  await mkdir(memory);
  const keepsake = await openKeepsake({
    config: { state_root: join(dir.path, "state"), stores, agents: { "*": { memory } }, log: { level: "silent" } },
    plugins: [fragilePlugin(dir.path)],
    cwd: dir.path,
    env: { HOME: dir.path },
  });
  return {
    dir: dir.path,
    memory,
    keepsake,
    down: (id: string) => writeFile(join(dir.path, `${id}.down`), ""),
    up: (id: string) => rm(join(dir.path, `${id}.down`)),
    files: async (id: string) => (existsSync(join(dir.path, id, FOLDER)) ? readdir(join(dir.path, id, FOLDER)) : []),
    pair: (one: string, other: string) =>
      [
        { name: one, store: keepsake.store(one) },
        { name: other, store: keepsake.store(other) },
      ] as const,
    async [Symbol.asyncDispose]() {
      await keepsake[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

describe("an agent with copies in three stores, of which one is down", () => {
  it("has snapshots taken, listed, verified, restored and deleted; a sync lets the store catch up", async () => {
    await using at = await box();
    const { keepsake, memory } = at;
    const database = await makeMemory(memory, { commits: 1 });
    const before = await memoryState(memory);
    const kept = await keepsake.snapshot(AGENT);
    expect(keepsake.takeStoreTroubles()).toEqual([]);
    await at.down("b");
    const { record } = await keepsake.snapshot({ ...AGENT, label: "good" });
    expect(keepsake.takeStoreTroubles()).toMatchObject([{ store: "b", code: "E_IO" }]);
    expect(keepsake.takeStoreTroubles()).toEqual([]);
    await wreckMemory(memory, database);
    await keepsake.restore({ ...AGENT, ref: record.id });
    expect(await memoryState(memory)).toEqual(before);
    expect(await keepsake.verify({ ...AGENT, ref: record.id, deep: true })).toMatchObject({ ok: true });
    await keepsake.delete({ ...AGENT, ref: kept.record.id });
    expect((await keepsake.list({})).snapshots.map(({ id }) => id)).not.toContain(kept.record.id);
    expect((await keepsake.doctor({})).findings).toContainEqual(expect.objectContaining({ status: "warning" }));

    await at.up("b");
    expect(await at.files("b")).toContain(`${kept.record.id}.json`);
    expect((await keepsake.list(AGENT)).snapshots.map(({ id }) => id)).not.toContain(kept.record.id);
    const plan = await keepsake.sync({ stores: at.pair("a", "b"), dryRun: true });
    expect(plan.deleted.map(({ id, from, to }) => [id, from, to])).toEqual([[kept.record.id, "a", "b"]]);
    expect(plan.copied.map(({ id }) => id)).toContain(record.id);
    expect(await at.files("b")).not.toContain(`${record.id}.json`);
    const report = await keepsake.sync({ stores: at.pair("a", "b") });
    expect({ ...report, dryRun: true }).toEqual(plan);
    expect(await at.files("b")).toEqual(await at.files("a"));
    expect(await at.files("c")).toEqual(await at.files("a"));
    expect(await keepsake.sync({ stores: at.pair("b", "c") })).toMatchObject({
      copied: [],
      deleted: [],
      differing: [],
    });
  });

  it("takes none where two are down, and leaves nothing behind", async () => {
    await using at = await box();
    await makeMemory(at.memory, { commits: 0 });
    await at.down("a");
    await at.down("c");
    const code = await at.keepsake.snapshot(AGENT).then(
      () => "taken",
      (error: unknown) => (isKeepsakeError(error) ? error.code : error),
    );
    expect(code).toBe("E_IO");
    expect(await at.files("b")).toEqual([]);
  });

  it("is read from the copy that is right, and the damaged one is put right", async () => {
    await using at = await box();
    await makeMemory(at.memory, { commits: 0 });
    const { record } = await at.keepsake.snapshot(AGENT);
    const file = join(at.dir, "a", record.bundlePath);
    await writeFile(file, "damaged");
    expect(await at.keepsake.verify({ ...AGENT, ref: record.id })).toMatchObject({ ok: true });
    expect(at.keepsake.takeStoreTroubles()).toMatchObject([{ store: "a", code: "E_INTEGRITY" }]);
    expect(await at.keepsake.sync({ stores: at.pair("a", "b") })).toMatchObject({ copied: [], differing: [] });
  });
});

describe("sync", () => {
  const TWO = { primary: { use: "fragile" }, far: { use: "fragile" } };

  it("copies both ways, goes on where it was broken off, and lists each snapshot once", async () => {
    await using at = await box(TWO);
    await makeMemory(at.memory, { commits: 0 });
    const [one, two] = [(await at.keepsake.snapshot(AGENT)).record, (await at.keepsake.snapshot(AGENT)).record];
    const stores = at.pair("primary", "far");
    expect((await at.keepsake.sync({ stores })).copied).toHaveLength(2);
    // One exists only far; of the other the record was not written before the break.
    for (const part of [".json", ".tar.zst", ".tar.zst.sha256"])
      await rm(join(at.dir, "primary", FOLDER, one.id + part));
    await rm(join(at.dir, "far", FOLDER, `${two.id}.json`));
    const report = await at.keepsake.sync({ stores });
    expect(report.copied.map(({ id, from, to }) => [id, from, to])).toEqual([
      [one.id, "far", "primary"],
      [two.id, "primary", "far"],
    ]);
    expect(await at.files("primary")).toEqual(await at.files("far"));
    expect((await at.keepsake.list({})).snapshots.map(({ id }) => id)).toEqual([two.id, one.id]);
  });

  it("copies nothing that is damaged, overwrites nothing, and says what differs", async () => {
    await using at = await box(TWO);
    await makeMemory(at.memory, { commits: 0 });
    const records = [];
    for (let count = 0; count < 3; count++) records.push((await at.keepsake.snapshot(AGENT)).record);
    const [damaged, planted, fine] = records.map(({ id }) => id);
    const body = (store: string, id = "") => join(at.dir, store, FOLDER, `${id}.tar.zst`);
    const size = records[0]?.bundleSizeBytes ?? 0;
    await writeFile(body("primary", damaged), Buffer.alloc(size));
    await mkdir(join(at.dir, "far", FOLDER), { recursive: true });
    await writeFile(body("far", planted), "mine");
    const report = await at.keepsake.sync({ stores: at.pair("primary", "far") });
    expect(report.copied.map(({ id }) => id)).toEqual([fine]);
    expect(report.differing.map(({ id, code }) => [id, code])).toEqual([
      [damaged, "E_INTEGRITY"],
      [planted, "E_ALREADY_EXISTS"],
    ]);
    expect((await at.files("far")).toSorted()).toEqual(
      [`${fine}.json`, `${fine}.tar.zst`, `${fine}.tar.zst.sha256`, `${planted}.tar.zst`].toSorted(),
    );
  });

  it("names a store that there is not", async () => {
    await using at = await box(TWO);
    expect(() => at.keepsake.store("faar")).toThrow('did you mean "far"?');
  });
});

describe("the command", () => {
  it("ends with 3 when a store is down, and `sync` makes up for it; also with another configuration", async () => {
    await using dir = await tempDir();
    const plugin = `
      import { existsSync } from ${JSON.stringify("node:fs")};
      const { localFs } = await import(${JSON.stringify(import.meta.resolve("@keepsake/local-fs"))});
      const { KeepsakeError } = await import(${JSON.stringify(import.meta.resolve("@keepsake/core"))});
      const gone = () => { throw new KeepsakeError("E_IO", "The disk is gone."); };
      export default { name: "fragile", api: 1, providers: [{ kind: "store", name: "fragile",
        create: (_o, _r, { id }) => {
          const root = ${JSON.stringify(dir.path)} + "/" + id;
          const store = localFs({ root, id });
          if (!existsSync(root + ".down")) return store;
          return { ...store, put: async () => gone(), get: async () => gone(), head: async () => gone(),
            delete: async () => gone(), list: async function* () { gone(); } };
        } }] };`;
    await writeFile(join(dir.path, "fragile.mjs"), plugin);
    const config = { plugins: ["./fragile.mjs"], agents: { "*": { memory: "./memory" } }, stores: STORES };
    await writeFile(join(dir.path, "keepsake.config.json"), JSON.stringify(config));
    const other = { state_root: "./other", stores: { primary: { use: "local-fs", root: "./elsewhere" } } };
    await writeFile(join(dir.path, "other.json"), JSON.stringify(other));
    await mkdir(join(dir.path, "memory"));
    await writeFile(join(dir.path, "memory", "note.md"), "a note");
    const options = { cwd: dir.path };

    await writeFile(join(dir.path, "c.down"), "");
    const taken = await runCli(["snapshot", "--agent", "ana", "--json"], options);
    expect(taken.code).toBe(3);
    const { id } = JSON.parse(taken.stdout) as { readonly id: string };
    expect(JSON.parse(taken.stderr)).toMatchObject({
      error: { code: "E_INCOMPLETE", context: { stores: [{ store: "c", code: "E_IO" }] } },
    });
    const human = await runCli(["list", "--agent", "ana"], options);
    expect([human.code, human.stderr]).toEqual([3, expect.stringContaining("The store c failed: The disk is gone.")]);

    await rm(join(dir.path, "c.down"));
    const run = await runCli(["sync", "a", "c", "--json"], options);
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(JSON.parse(run.stdout)).toMatchObject({ copied: [{ id, from: "a", to: "c" }], deleted: [], dry_run: false });
    expect((await runCli(["sync", "c", "--with", "other.json:primary"], options)).stdout).toContain(
      "1 snapshot copied",
    );
    expect(await readdir(join(dir.path, "elsewhere", FOLDER))).toContain(`${id}.json`);
    expect((await runCli(["sync", "a", "b", "--with", "other.json"], options)).code).toBe(2);
  }, 60_000);
});

it("tells all that is wrong with a configuration of several stores at once", async () => {
  await using dir = await tempDir();
  const config = {
    stores: {
      primary: { use: "replicated", stores: ["near", "near"], write: { quorum: 5 }, read: ["fra"] },
      near: { use: "tiered", hot: "far", cold: "far", after_days: 30 },
      far: { use: "local-fs", root: "./far" },
      more: { use: "replicated", stores: ["far", "neer"], write: "most" },
    },
  };
  const problems = await openKeepsake({ config: config as never, cwd: dir.path, env: {} }).then(
    () => [],
    (error: unknown) => (isKeepsakeError(error, "E_CONFIG") ? error.context["problems"] : error),
  );
  expect(
    (problems as readonly { path: string; message: string }[]).map(({ path, message }) => `${path}: ${message}`),
  ).toEqual([
    "stores.primary.stores[1]: is there twice",
    "stores.primary.write.quorum: a quorum of 5 cannot be had of 2 stores",
    "stores.primary.read[0]: is none of near, near",
    "stores.near.cold: is the store that is hot",
    'stores.more.write: expected "all" or { quorum: <number> }',
    'stores.more.stores[1]: unknown store "neer"; did you mean "near"?',
  ]);
});
