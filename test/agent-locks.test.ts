import { readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ownIdentity } from "@keepsake/files";
import * as library from "@keepsake/standard";
import { tempDir, writeTree } from "@keepsake/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AGENT, NOTES, OLDER } from "./support/crash-grounds.js";
import { CrashWorld, type WorldState } from "./support/crash-world.js";
import { execute } from "./support/execute.js";
import type { PlacedOperation } from "./support/operation.js";
import { runCli } from "./support/run-cli.js";
import { StoppedOperation, type StopPoint } from "./support/stopped-operation.js";

const LIMIT_MS = 600_000;
const HOUR_MS = 3_600_000;

/** Everything of a snapshot is written but the record, by which it exists. */
const BEFORE_RECORD: StopPoint = { name: "link", path: /\.sha256$/ };
const AMID_COMMIT: StopPoint = { name: "link", path: /live\/memory\/MEMORY\.md$/ };

let world: CrashWorld;
let before: WorldState;
beforeAll(async () => {
  world = await CrashWorld.make(library, NOTES);
  before = await world.state();
});
beforeEach(() => world.bringBack("plain"));
afterAll(() => world[Symbol.asyncDispose]());

/** The configuration of a machine that takes silent holders elsewhere for dead after some seconds. */
function patient(timeoutSecs = 120): object {
  return { ...world.config, lock: { lease_secs: 4, timeout_secs: timeoutSecs } };
}

function operation(name: string, request: object = AGENT): PlacedOperation {
  return { ...world.placed({ name, request }), config: patient() };
}

const lockFolder = (): string => join(world.stateRoot, "agents", "default", "ana.lock");

/** The newest file of the agent's lock; its number is the fencing token. */
async function lockFile(): Promise<{ readonly file: string; readonly token: number }> {
  const tokens = (await readdir(lockFolder())).filter((name) => name.endsWith(".lock")).map(Number.parseFloat);
  const token = Math.max(...tokens);
  return { file: join(lockFolder(), `${String(token)}.lock`), token };
}

/** Changes what the lock's file says of its holder, and leaves its lease as it is. */
async function sign(holder: object): Promise<void> {
  const { file } = await lockFile();
  const { mtime } = await stat(file);
  const said = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(file, JSON.stringify({ ...said, ...holder }));
  await utimes(file, mtime, mtime);
}

/** The holder is on another machine, as far as anybody can tell; and its lease ended when it is said. */
async function moveElsewhere(leaseEnd?: Date): Promise<void> {
  await sign({ host: "boot:elsewhere" });
  if (leaseEnd !== undefined) await utimes((await lockFile()).file, leaseEnd, leaseEnd);
}

const hourAgo = (): Date => new Date(Date.now() - HOUR_MS);

/** The command on this world, which waits for no lock. */
async function run(...args: readonly string[]) {
  const config = join(world.run, "..", "..", "config.json");
  await writeFile(config, JSON.stringify({ ...patient(0), log: { level: "error" } }));
  return runCli([...args, "--agent", "ana", "--config", config, "--root", world.stateRoot, "--json"]);
}

async function ids(): Promise<readonly string[]> {
  await using keepsake = await world.open();
  return (await keepsake.list(AGENT)).snapshots.map(({ id }) => id);
}

/** After the next operation nothing is left of any, and every snapshot is whole. */
async function expectSound(): Promise<void> {
  await using keepsake = await world.open();
  await keepsake.snapshot({ ...AGENT, label: "next" });
  expect(await world.leftovers()).toEqual([]);
  for (const id of await ids()) expect((await keepsake.verify({ ...AGENT, ref: id })).ok).toBe(true);
  const { ok, findings } = await keepsake.doctor({});
  expect(ok, JSON.stringify(findings)).toBe(true);
  expect(findings.filter(({ name }) => name === "orphan")).toEqual([]);
}

async function takeOver(name: "snapshot" | "recover"): Promise<unknown> {
  await using keepsake = await openPatient();
  return name === "snapshot" ? await keepsake.snapshot(AGENT) : await keepsake.recover({});
}

async function openPatient() {
  return library.openKeepsake({
    config: patient() as never,
    stateRoot: world.stateRoot,
    cwd: world.stateRoot,
    env: {},
  });
}

describe("a process that slept longer than its lease, and lost the lock to another machine", {
  timeout: LIMIT_MS,
}, () => {
  it("publishes no snapshot, and leaves nothing of it", async () => {
    await using sleeper = await StoppedOperation.at(operation("snapshot"), BEFORE_RECORD);
    const { token } = await lockFile();
    // The other machine waits for as long as the lease is.
    await moveElsewhere();
    await takeOver("snapshot");
    expect((await lockFile()).token).toBeGreaterThan(token);
    const known = await ids();
    expect((await sleeper.goOn()).error).toMatchObject({ code: "E_LOCK_LOST" });
    expect(await ids()).toEqual(known);
    expect(await world.state()).toEqual(before);
    await expectSound();
  });

  it("commits no restore", async () => {
    // The snapshot before the restore is the last thing before the commit.
    await using sleeper = await StoppedOperation.at(operation("restore", OLDER), BEFORE_RECORD);
    await moveElsewhere(hourAgo());
    await takeOver("snapshot");
    const known = await ids();
    expect((await sleeper.goOn()).error).toMatchObject({ code: "E_LOCK_LOST" });
    expect(await world.state()).toEqual(before);
    expect(await ids()).toEqual(known);
    await expectSound();
  });

  it("takes nothing back in what another one has recovered meanwhile", async () => {
    await using sleeper = await StoppedOperation.at(operation("restore", OLDER), AMID_COMMIT);
    await moveElsewhere(hourAgo());
    expect(await takeOver("recover")).toMatchObject({ restores: [{ outcome: "rolled_back" }] });
    expect(await world.state()).toEqual(before);
    // What the agent makes afterwards looks like something of the restore.
    await writeTree(world.memory, { "topics/deep": { directory: true }, "gone-later": { directory: true } });
    const since = await world.state();
    expect((await sleeper.goOn()).error).toMatchObject({ code: "E_LOCK_LOST" });
    expect(await world.state()).toEqual(since);
    await expectSound();
  });

  it("leaves the journal of the restore that runs now", async () => {
    const restore = operation("restore", OLDER);
    await using sleeper = await StoppedOperation.at(restore, BEFORE_RECORD);
    await moveElsewhere(hourAgo());
    await using other = await StoppedOperation.at(restore, AMID_COMMIT);
    expect((await sleeper.goOn()).error).toMatchObject({ code: "E_LOCK_LOST" });
    await other.kill();
    await using keepsake = await world.open();
    expect(await keepsake.recover({})).toMatchObject({ restores: [{ outcome: "rolled_back" }] });
    expect(await world.state()).toEqual(before);
    await expectSound();
  });
});

describe("a holder on this machine", { timeout: LIMIT_MS }, () => {
  it("keeps its lock while it is stopped, however long; it loses it by itself, and publishes nothing", async () => {
    await using sleeper = await StoppedOperation.at(operation("snapshot"), BEFORE_RECORD);
    const { file } = await lockFile();
    await expect.poll(async () => Date.now() - (await stat(file)).mtimeMs, { timeout: 60_000 }).toBeGreaterThan(0);
    const refused = await run("snapshot");
    expect(refused).toMatchObject({ code: 11, stdout: "" });
    expect(refused.stderr).toContain('"E_LOCKED"');
    expect(refused.stderr).toContain(`"holder_pid":${String(sleeper.pid)}`);
    expect((await sleeper.goOn()).error).toMatchObject({ code: "E_LOCK_LOST" });
    expect(await ids()).toHaveLength(2);
    await expectSound();
  });

  it("is followed at once when it was killed, whatever its lease", async () => {
    await using killed = await StoppedOperation.at(
      { ...operation("snapshot"), config: { ...patient(), lock: { lease_secs: 3600 } } },
      BEFORE_RECORD,
    );
    expect((await run("snapshot")).code).toBe(11);
    await killed.kill();
    expect(await run("snapshot")).toMatchObject({ code: 0 });
    expect(await ids()).toHaveLength(3);
  });

  it("is told from a later process of its number", async () => {
    await using killed = await StoppedOperation.at(
      { ...operation("snapshot"), config: { ...patient(), lock: { lease_secs: 3600 } } },
      BEFORE_RECORD,
    );
    await killed.kill();
    const { pid, startedAt } = ownIdentity();
    await sign({ pid, started_at: startedAt });
    expect((await run("snapshot")).code, "it is alive").toBe(11);
    await sign({ pid, started_at: "1" });
    expect((await run("snapshot")).code, "it is another one").toBe(0);
  });
});

describe("a holder on another machine", { timeout: LIMIT_MS }, () => {
  it("is respected until its lease is long over, then followed with a larger token", async () => {
    await using killed = await StoppedOperation.at(operation("snapshot"), BEFORE_RECORD);
    await killed.kill();
    const { token } = await lockFile();
    await moveElsewhere(new Date(Date.now() + HOUR_MS));
    expect((await run("snapshot")).code).toBe(11);
    await moveElsewhere(hourAgo());
    expect((await run("snapshot")).code).toBe(0);
    expect((await lockFile()).token).toBeGreaterThan(token);
    expect(await ids()).toHaveLength(3);
  });
});

describe("two processes that work on one agent at once", { timeout: LIMIT_MS }, () => {
  it("are never inside together, lose no snapshot, and leave no lock", async () => {
    const earlier = await ids();
    await using outside = await tempDir();
    const program = fileURLToPath(new URL("support/busy-agent.mjs", import.meta.url));
    const args = [program, JSON.stringify(patient(600)), world.stateRoot, "13", outside.join("inside")];
    const ended = await Promise.all([execute(process.execPath, args), execute(process.execPath, args)]);
    const said = ended.map(({ stdout }) => JSON.parse(stdout.toString()) as Readonly<Record<string, string[]>>);
    const taken = said.flatMap((one) => one["taken"] ?? []);
    const deleted = new Set(said.flatMap((one) => one["deleted"] ?? []));
    expect(taken.length).toBeGreaterThanOrEqual(26);
    const expected = [...earlier, ...taken].filter((id) => !deleted.has(id));
    expect([...(await ids())].sort()).toEqual(expected.sort());
    expect((await run("snapshot")).code, "no lock is stuck").toBe(0);
    await expectSound();
  });
});
