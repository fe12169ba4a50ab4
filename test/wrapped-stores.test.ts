import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openKeepsake } from "@keepsake/standard";
import { type TempDir, tempDir, treeDigest } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { expectRefused } from "./support/cli-case.js";
import { runCli } from "./support/run-cli.js";

const FOLDER = "tenants/default/snapshots/ana";
const DAY_MS = 86_400_000;

/** Bytes that do not pack, so that bundles are longer than what is read at once; another start each time. */
const noise = (start: number): Buffer => {
  let state = start + 1;
  return Buffer.from(Uint8Array.from({ length: 400_000 }, () => (state = (state * 48_271) % 2_147_483_647) >> 8));
};

describe("a store that fails by chance, within time limits and retries", () => {
  const chaos = {
    use: "chaos",
    store: "disk",
    seed: "house",
    rates: { before: 0.15, after: 0.15, cut: 0.15, truncate: 0.1, delay: 0.1 },
    max_delay_secs: 0.002,
  };
  const stores = {
    primary: { use: "retry", store: "bounded", attempts: 20, first_delay_secs: 0.001, max_delay_secs: 0.005 },
    bounded: { use: "timeout", store: "troubled", call_secs: 60 },
    troubled: chaos,
    disk: { use: "local-fs", root: "./kept" },
  };
  const agents = { "*": { memory: "./memory", sources: [{ use: "memdir" }] } };
  const open = (dir: TempDir, of: Record<string, { use: string } & Record<string, unknown>>) =>
    openKeepsake({
      config: { state_root: "./state", agents, stores: of, log: { level: "silent" } },
      cwd: dir.path,
      env: {},
    });

  async function change(dir: TempDir, round: number): Promise<void> {
    await mkdir(dir.join("memory/notes"), { recursive: true });
    await writeFile(dir.join(`memory/notes/${String(round)}.md`), `round ${String(round)}\n`);
    await writeFile(dir.join("memory/big.bin"), noise(round));
  }

  it("takes 20 snapshots, leaves nothing else, and gives back what each of them holds", async () => {
    await using dir = await tempDir();
    await using keepsake = await open(dir, stores);
    const taken: { readonly ref: string; readonly memory: unknown }[] = [];
    for (let round = 0; round < 20; round++) {
      await change(dir, round);
      const { record } = await keepsake.snapshot({ agent: "ana", redact: false });
      taken.push({ ref: record.id, memory: await treeDigest(dir.join("memory")) });
    }
    const listed = (await keepsake.list({ agent: "ana" })).snapshots.map(({ id }) => id);
    expect(listed).toEqual(taken.map(({ ref }) => ref).toReversed());
    const kept = await readdir(dir.join(`kept/${FOLDER}`));
    expect(kept.map((name) => name.slice(36)).filter((end) => end === ".json")).toHaveLength(20);
    expect(kept).toHaveLength(60);
    for (const { ref, memory } of [taken[0], taken[7], taken[19]].filter((one) => one !== undefined)) {
      expect((await keepsake.verify({ agent: "ana", ref })).ok).toBe(true);
      await keepsake.restore({ agent: "ana", ref });
      expect(await treeDigest(dir.join("memory"))).toEqual(memory);
    }
    expect((await keepsake.list({ agent: "ana" })).snapshots).toHaveLength(23);
  });

  it("fails without the retries: what goes wrong does go wrong", async () => {
    await using dir = await tempDir();
    await using keepsake = await open(dir, { primary: chaos, disk: stores.disk });
    // One of them may go well; not five.
    const five = async (): Promise<void> => {
      for (let round = 0; round < 5; round++) {
        await change(dir, round);
        await keepsake.snapshot({ agent: "ana", redact: false });
      }
    };
    await expect(five()).rejects.toMatchObject({ code: "E_IO", message: expect.stringMatching(/^Chaos: /) as string });
  });
});

/** A writer's configuration with three snapshots, and a reader's of the same place. */
async function readersPlace() {
  const dir = await tempDir();
  const agents = { "*": { memory: "./memory", sources: [{ use: "memdir" }] } };
  const disk = { use: "local-fs", root: "./kept" };
  const config = async (name: string, stores: object): Promise<void> => {
    const text = { state_root: `./state-${name}`, agents, stores, redaction: { default: false } };
    await writeFile(dir.join(`${name}.json`), JSON.stringify(text));
  };
  await config("writer", { primary: disk });
  await config("reader", { primary: { use: "read-only", store: "disk" }, disk });
  const run = (name: "writer" | "reader", ...args: readonly string[]) =>
    runCli(["--config", `${name}.json`, "--json", ...args], { cwd: dir.path });
  const memories: unknown[] = [];
  await mkdir(dir.join("memory"));
  for (const text of ["one", "two", "three"]) {
    await writeFile(dir.join("memory/a.md"), text);
    const snapshot = await run("writer", "snapshot", "--agent", "ana");
    expect(snapshot, snapshot.stderr).toMatchObject({ code: 0 });
    memories.push(await treeDigest(dir.join("memory")));
  }
  const everything = async (): Promise<unknown> => ({
    kept: await treeDigest(dir.join("kept")),
    memory: await treeDigest(dir.join("memory")),
    left: (await readdir(dir.join("state-reader"), { recursive: true }).catch(() => [])).filter((path) =>
      /^(staging|journals)\/.*\..*/.test(path),
    ),
  });
  return { dir, run, memories, everything, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

describe("the command over a store that is only read", () => {
  it("lists, shows, verifies, compares and restores", async () => {
    await using place = await readersPlace();
    const { run, dir, memories } = place;
    const kept = await treeDigest(dir.join("kept"));
    for (const args of [
      ["list", "--agent", "ana"],
      ["show", "--agent", "ana", "latest"],
      ["verify", "--agent", "ana", "latest"],
      ["verify", "--agent", "ana", "latest~1", "--deep"],
      ["diff", "--agent", "ana", "latest~1", "latest"],
      ["restore", "--agent", "ana", "latest~2", "--dry-run"],
      ["export", "--agent", "ana", "latest", "--to", dir.path],
      ["doctor"],
    ]) {
      const done = await run("reader", ...args);
      expect(done, `${args.join(" ")}: ${done.stderr}`).toMatchObject({ code: 0 });
    }
    const restored = await run("reader", "restore", "--agent", "ana", "latest~2", "--yes", "--no-pre-snapshot");
    expect(restored, restored.stderr).toMatchObject({ code: 0 });
    expect(await treeDigest(dir.join("memory"))).toEqual(memories[0]);
    expect(await treeDigest(dir.join("kept"))).toEqual(kept);
  });

  it("refuses what would write, with its code and exit code, and nothing is half-made", async () => {
    await using place = await readersPlace();
    const { run, everything } = place;
    const before = await everything();
    for (const args of [
      ["snapshot", "--agent", "ana"],
      ["delete", "--agent", "ana", "latest~2", "--yes"],
      ["prune", "--agent", "ana", "--keep-last", "1", "--yes"],
      // Its pre-restore snapshot cannot be put anywhere.
      ["restore", "--agent", "ana", "latest~2", "--yes"],
    ]) {
      expectRefused(await run("reader", ...args), 1, "E_READ_ONLY");
      expect(await everything(), args.join(" ")).toEqual(before);
    }
  });

  it("recovers what is its own, and leaves in the store what is not", async () => {
    await using place = await readersPlace();
    const { run, dir } = place;
    const orphan = dir.join(`kept/${FOLDER}/00000000-0000-7000-8000-000000000000.tar.zst`);
    await writeFile(orphan, "half");
    const old = new Date(Date.now() - 3 * DAY_MS);
    await utimes(orphan, old, old);
    const left = dir.join("state-reader/staging/default/ana/one/plain.txt");
    await mkdir(dirname(left), { recursive: true });
    await writeFile(left, "plain");
    const kept = await treeDigest(dir.join("kept"));
    const recovered = await run("reader", "recover");
    expect(recovered, recovered.stderr).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(recovered.stdout)).toEqual({ restores: [], swept: [dirname(left)] });
    expect(await treeDigest(dir.join("kept"))).toEqual(kept);
    // The one who writes there does sweep it.
    const writer = await run("writer", "recover");
    expect(JSON.parse(writer.stdout)).toMatchObject({ swept: [join(FOLDER, orphan.slice(orphan.lastIndexOf("/")))] });
  });
});

it("the command knows the wrappers: what there is, their options, and what is wrong with them all at once", async () => {
  await using dir = await tempDir();
  const run = (...args: readonly string[]) => runCli([...args, "--json"], { cwd: dir.path });
  await writeFile(
    dir.join("keepsake.config.json"),
    JSON.stringify({
      stores: { primary: { use: "read-only", store: "disk" }, disk: { use: "local-fs", root: "./kept" } },
    }),
  );
  const { plugins } = JSON.parse((await run("plugins")).stdout) as {
    readonly plugins: readonly {
      readonly name: string;
      readonly providers: readonly { readonly name: string; readonly instances: readonly unknown[] }[];
    }[];
  };
  const ours = plugins.find(({ name }) => name === "wrappers")?.providers ?? [];
  expect(ours.map(({ name }) => name)).toEqual(["retry", "timeout", "limit", "read-only", "logging", "chaos"]);
  expect(JSON.stringify(ours)).toContain("only read");
  const schema = (await run("config", "schema")).stdout;
  for (const option of ["spool_bytes", "silence_secs", "down_bytes_per_sec", "truncate"]) {
    expect(schema).toContain(`"${option}"`);
  }

  const stores = {
    primary: { use: "retry", store: "bounded", attempts: 0 },
    bounded: { use: "timeout", store: "nowhere", call_secs: 30 },
    limited: { use: "limit", store: "disk" },
    troubled: { use: "chaos", store: "disk", seed: 1, rates: { before: 2 } },
    loop: { use: "logging", store: "loop" },
    disk: { use: "local-fs", root: "./kept" },
  };
  await writeFile(dir.join("keepsake.config.json"), JSON.stringify({ stores }));
  const checked = await run("config", "check");
  const { message } = expectRefused(checked, 2, "E_CONFIG");
  for (const place of ["primary.attempts", "bounded.store", "limited", "troubled.rates.before", "loop"]) {
    expect(`${message}${checked.stderr}`).toContain(`stores.${place}`);
  }
});
