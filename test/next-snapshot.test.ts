import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateIdentity } from "@keepsake/age";
import { sha256Hex } from "@keepsake/core";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CliCase } from "./support/cli-case.js";

let at: CliCase;

const LARGE = "attachments/voice.bin";
const STORE = "memories.sqlite";

beforeEach(async () => {
  at = await CliCase.make();
  await mkdir(join(at.memory, "attachments"));
  await writeFile(join(at.memory, LARGE), randomBytes(900_000));
  for (let note = 0; note < 40; note++)
    await writeFile(join(at.memory, `note-${String(note)}.md`), `note ${String(note)}\n`);
  const database = new Database(join(at.memory, STORE));
  database.pragma("journal_mode = WAL");
  database.exec("CREATE TABLE memory (id INTEGER PRIMARY KEY, text TEXT)");
  const insert = database.prepare("INSERT INTO memory (text) VALUES (?)");
  for (let row = 0; row < 400; row++) insert.run(randomBytes(600).toString("hex"));
  database.close();
  await grownOld();
});

afterEach(async () => at[Symbol.asyncDispose]());

/** What was written just now is read again in any case: it is let grow older than a tick of the clock. */
async function grownOld(): Promise<void> {
  const written = Math.max(
    ...(await Promise.all([LARGE, STORE].map(async (name) => (await stat(join(at.memory, name))).ctimeMs))),
  );
  await expect.poll(() => Date.now()).toBeGreaterThan(written + 50);
}

async function snapshot(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const run = await at.runLive("snapshot", ["--no-redact", ...args]);
  expect(run, run.stderr).toMatchObject({ code: 0 });
  return JSON.parse(run.stdout) as Readonly<Record<string, unknown>>;
}

const bundleOf = (record: Readonly<Record<string, unknown>>): string => join(at.root, String(record["bundle_path"]));

const AGE_MAGIC = "age-encryption.org/v1";

const sealedMemo = (): string => join(at.root, "last-snapshots/default/ana.json.sealed");

function filesBelow(dir: string): readonly string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

interface Memo {
  readonly unread: number;
  /** by source; of each its path first */
  readonly files: Readonly<Record<string, readonly (readonly [path: string])[]>>;
}

function remembered(): Memo {
  return JSON.parse(readFileSync(join(at.root, "last-snapshots/default/ana.json"), "utf8")) as Memo;
}

const rememberedPaths = (): readonly string[] =>
  Object.values(remembered().files).flatMap((files) => files.map(([path]) => path));

/** The memory comes back from it byte for byte, wherever its frames are from. */
async function expectWhole(record: Readonly<Record<string, unknown>>, ...args: readonly string[]): Promise<void> {
  const verified = await at.run("verify", ["--deep", String(record["id"]), ...args]);
  expect(verified, verified.stdout).toMatchObject({ code: 0 });
  const target = at.temp.join(`again-${String(record["id"])}`);
  const restored = await at.run("restore", [String(record["id"]), "--memory", target, "--yes", ...args]);
  expect(restored, restored.stderr).toMatchObject({ code: 0 });
  for (const name of [LARGE, "note-7.md"]) {
    expect((await readFile(join(target, name))).equals(await readFile(join(at.memory, name))), name).toBe(true);
  }
  expect(rowsOf(join(target, STORE))).toEqual(rowsOf(join(at.memory, STORE)));
}

function rowsOf(file: string): readonly unknown[] {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare("SELECT id, text FROM memory ORDER BY id").all();
  } finally {
    database.close();
  }
}

describe("the snapshot after one", () => {
  it("takes over what has not changed, and is as whole as the first", async () => {
    await snapshot();
    expect(rememberedPaths()).toEqual(expect.arrayContaining([LARGE, STORE, "note-7.md"]));
    await writeFile(join(at.memory, "note-7.md"), "another\n");
    const next = await snapshot();
    expect(remembered().unread).toBe(1);
    await expectWhole(next);
  });

  it("sees a file and a database of the same size and time that hold something else", async () => {
    const [file, database] = [join(at.memory, LARGE), join(at.memory, STORE)];
    const sizes = async () => [(await stat(file)).size, (await stat(database)).size];
    // To the whole second: other times could not be set back exactly.
    const setBack = () => Promise.all([utimes(file, 1e9, 1e9), utimes(database, 1e9, 1e9)]);
    await setBack();
    await grownOld();
    await snapshot();
    const before = await sizes();
    await writeFile(file, randomBytes(900_000));
    const connection = new Database(database);
    connection.prepare("UPDATE memory SET text = ? WHERE id = 7").run(randomBytes(600).toString("hex"));
    connection.close();
    await setBack();
    expect(await sizes()).toEqual(before);
    await expectWhole(await snapshot());
  });

  it("sees rows that are in a database's log alone", async () => {
    await snapshot();
    const agent = new Database(join(at.memory, STORE));
    try {
      agent.prepare("INSERT INTO memory (text) VALUES ('in the log')").run();
      const first = await snapshot();
      await grownOld();
      agent.prepare("UPDATE memory SET text = 'in THE log' WHERE text = 'in the log'").run();
      const second = await snapshot();
      expect(second["bundle_sha256"]).not.toBe(first["bundle_sha256"]);
      await expectWhole(second);
    } finally {
      agent.close();
    }
  });

  it("reads everything when the last bundle has changed, or is gone", async () => {
    const first = await snapshot();
    const bytes = readFileSync(bundleOf(first));
    // In the middle of what would be taken over.
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    writeFileSync(bundleOf(first), bytes);
    await expectWhole(await snapshot());
    const third = await snapshot();
    await rm(bundleOf(third));
    await expectWhole(await snapshot());
  });

  it("reads everything when what was remembered is damaged, or is of another memory", async () => {
    await snapshot();
    const file = join(at.root, "last-snapshots/default/ana.json");
    writeFileSync(file, readFileSync(file, "utf8").slice(0, 500));
    await snapshot();
    expect(remembered().unread).toBe(0);
    const other = at.temp.join("other");
    await mkdir(other);
    await writeFile(join(other, "a.md"), "a\n");
    await grownOld();
    const run = await at.run("snapshot", ["--no-redact", "--memory", other]);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(remembered().unread).toBe(0);
    expect(rememberedPaths()).toEqual(["a.md"]);
  });

  it("reads everything at every so many, and when it is told to", async () => {
    const config = at.temp.join("keepsake.json");
    await writeFile(config, JSON.stringify({ version: 1, snapshot: { full_read_every: 3 } }));
    const counts: number[] = [];
    for (const args of [[], [], [], [], ["--full"], []]) {
      await snapshot("--config", config, ...args);
      counts.push(remembered().unread);
    }
    expect(counts).toEqual([0, 1, 2, 0, 0, 1]);
  });

  it("takes nothing over from an encrypted bundle without its key, nor from an open one into it", async () => {
    const { recipient } = await generateIdentity();
    await snapshot();
    const sealed = await snapshot("--encrypt", recipient);
    expect(remembered()).toMatchObject({ files: {}, unread: 0 });
    // No frame of the open bundle stands in it.
    expect(readFileSync(bundleOf(sealed)).subarray(0, 21).toString()).toBe(AGE_MAGIC);
    await snapshot("--encrypt", recipient);
    expect(remembered()).toMatchObject({ files: {}, unread: 0 });
    expect(existsSync(sealedMemo())).toBe(false);
    await expectWhole(await snapshot());
  });

  it("is none where nothing has changed, if that is asked for", async () => {
    const first = await snapshot("--skip-unchanged");
    expect(first["unchanged"]).toBeUndefined();
    const again = await snapshot("--skip-unchanged");
    expect(again).toMatchObject({ id: first["id"], unchanged: true });
    expect(readdirSync(join(at.root, "tenants/default/snapshots/ana"))).toHaveLength(3);
    await writeFile(join(at.memory, "note-7.md"), "another\n");
    const changed = await snapshot("--skip-unchanged");
    expect(changed["id"]).not.toBe(first["id"]);
    expect(changed["unchanged"]).toBeUndefined();
    // The last one is what counts, not any that was the same.
    await writeFile(join(at.memory, "note-7.md"), "note 7\n");
    expect((await snapshot("--skip-unchanged"))["unchanged"]).toBeUndefined();
    const deleted = await at.run("delete", ["latest", "--yes"]);
    expect(deleted, deleted.stderr).toMatchObject({ code: 0 });
    expect((await snapshot("--skip-unchanged"))["unchanged"]).toBeUndefined();
  });
});

describe("the snapshot after an encrypted one, with its key", () => {
  let key: string;
  let recipient: string;

  /** A configuration that encrypts to the recipient, and names where keys are. */
  async function configured(identityFile = key): Promise<string> {
    const file = at.temp.join("keepsake.json");
    const encryption = { enabled: true, recipients: [recipient], identity_file: identityFile };
    await writeFile(file, JSON.stringify({ version: 1, encryption }));
    return file;
  }

  async function keyFile(name: string): Promise<{ readonly file: string; readonly recipient: string }> {
    const made = await generateIdentity();
    const file = at.temp.join(name);
    await writeFile(file, `${made.identity}\n`, { mode: 0o600 });
    return { file, recipient: made.recipient };
  }

  beforeEach(async () => {
    ({ file: key, recipient } = await keyFile("ana.key"));
  });

  it("takes over what has not changed, sealed anew, and is as whole as the first", async () => {
    const config = await configured();
    const first = await snapshot("--config", config);
    await writeFile(join(at.memory, "note-7.md"), "another\n");
    const next = await snapshot("--config", config);
    expect(remembered().unread).toBe(1);
    const [before, after] = [readFileSync(bundleOf(first)), readFileSync(bundleOf(next))];
    expect(after.subarray(0, 21).toString()).toBe(AGE_MAGIC);
    // Another key for each file: nothing of the one stands in the other.
    expect(after.includes(before.subarray(5_000, 5_064))).toBe(false);
    await expectWhole(next, "--identity", key);
    await expectWhole(await snapshot("--config", config), "--identity", key);
    expect(remembered().unread).toBe(2);
  });

  it("names nothing of the memory beside the bundle", async () => {
    const config = await configured();
    await snapshot("--config", config);
    await snapshot("--config", config);
    expect(remembered()).toMatchObject({ files: {}, segments: [], unread: 1 });
    const beside = filesBelow(join(at.root, "last-snapshots"));
    expect(beside).toEqual(expect.arrayContaining([sealedMemo()]));
    const digest = sha256Hex(readFileSync(join(at.memory, "note-7.md")));
    for (const file of beside) {
      for (const word of ["note-", "voice", STORE, digest]) expect(readFileSync(file).includes(word), file).toBe(false);
    }
    expect(readFileSync(sealedMemo()).subarray(0, 21).toString()).toBe(AGE_MAGIC);
  });

  it("reads everything when the key is another one, or the bundle is not what it was", async () => {
    await snapshot("--config", await configured());
    const other = await keyFile("other.key");
    const blind = await snapshot("--config", await configured(other.file));
    expect(remembered().unread).toBe(0);
    await expectWhole(blind, "--identity", key);
    const config = await configured();
    const last = await snapshot("--config", config);
    expect(remembered().unread).toBe(1);
    const bytes = readFileSync(bundleOf(last));
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    writeFileSync(bundleOf(last), bytes);
    await expectWhole(await snapshot("--config", config), "--identity", key);
    expect(remembered().unread).toBe(0);
  });

  it("does not believe what was remembered of another snapshot", async () => {
    const config = await configured();
    await snapshot("--config", config);
    const old = readFileSync(sealedMemo());
    await writeFile(join(at.memory, "note-7.md"), "another\n");
    await snapshot("--config", config);
    writeFileSync(sealedMemo(), old);
    await expectWhole(await snapshot("--config", config), "--identity", key);
    expect(remembered().unread).toBe(0);
  });

  it("leaves nothing sealed behind once nothing is encrypted any more, and nothing open once it is", async () => {
    await snapshot();
    expect(rememberedPaths()).not.toEqual([]);
    await snapshot("--config", await configured());
    expect([rememberedPaths(), existsSync(sealedMemo())]).toEqual([[], true]);
    // Nothing crosses from what is open to what is encrypted, nor back.
    expect(remembered().unread).toBe(0);
    await snapshot();
    expect(existsSync(sealedMemo())).toBe(false);
    expect(remembered().unread).toBe(0);
  });
});
