import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateIdentity, identityFileText } from "@keepsake/age";
import { openKeepsake } from "@keepsake/standard";
import { type TempDir, tempDir, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { git, makeMemory } from "./support/agent-memory.js";
import { type KeepsakeCase, keepsakeCase } from "./support/keepsake-case.js";
import { memoryState } from "./support/memory-state.js";
import { findPlaintext } from "./support/plaintext-search.js";
import { havePrograms } from "./support/programs.js";
import { runCli } from "./support/run-cli.js";

const agent = "ana";
const BIN = fileURLToPath(new URL("../packages/cli/bin/keepsake.js", import.meta.url));
/** In names, contents, rows, commits and labels of the memory. */
const CANARY = "canary-kestrel-7731";

const keys = { one: await generateIdentity(), two: await generateIdentity(), stranger: await generateIdentity() };
type KeyName = keyof typeof keys;
const TO_BOTH = { enabled: true, recipients: [keys.one.recipient, keys.two.recipient] };

/** Identity files of these names, in `dir`. */
async function identityFiles(dir: TempDir, ...names: readonly KeyName[]): Promise<string[]> {
  for (const name of names) await writeFile(dir.join(`${name}.key`), identityFileText(keys[name], new Date()));
  return names.map((name) => dir.join(`${name}.key`));
}

/** A memory that names the canary wherever something of it could leak. */
async function fill(memory: string): Promise<void> {
  (await makeMemory(memory, { commits: 1 })).close();
  const database = await makeMemory(join(memory, CANARY));
  database.prepare("INSERT INTO memories (text) VALUES (?)").run(`a row about ${CANARY}`);
  database.close();
  await writeTree(memory, { "secret.md": `I know ${CANARY}.\n`, [`about ${CANARY}.md`]: "x" });
  await git(memory, "add", "secret.md");
  await git(memory, "commit", "-q", "-m", `learnt ${CANARY}`);
  await git(memory, "branch", CANARY);
}

async function bundleBytes({ stateRoot }: KeepsakeCase, { bundlePath }: { readonly bundlePath: string }) {
  return readFile(join(stateRoot, bundlePath));
}

describe("a snapshot to two recipients", () => {
  it("is restored by either identity alone, and by no other", async () => {
    await using box = await keepsakeCase({ encryption: TO_BOTH });
    const { keepsake, memory, temp } = box;
    await fill(memory);
    const before = await memoryState(memory);
    const { record, manifest } = await keepsake.snapshot({ agent });
    expect(record).toMatchObject({ encrypted: true, codecs: ["zstd", "age"] });
    expect(record.bundlePath).toMatch(/\.tar\.zst\.age$/);
    // The last eight characters, in the record and in the manifest.
    const fingerprints = TO_BOTH.recipients.map((recipient) => recipient.slice(-8));
    expect(record.recipientsFingerprint).toEqual(fingerprints);
    expect(manifest?.encryption).toMatchObject({ recipientsFingerprint: fingerprints });

    for (const name of ["one", "two"] as const) {
      await rm(memory, { recursive: true });
      await keepsake.restore({ agent, ref: record.id, identityFiles: await identityFiles(temp, name) });
      expect(await memoryState(memory), name).toEqual(before);
    }

    await writeTree(memory, { "since.md": "later" });
    const now = await memoryState(memory);
    const wrong = keepsake.restore({
      agent,
      ref: record.id,
      identityFiles: await identityFiles(temp, "stranger"),
    });
    await expect(wrong).rejects.toMatchObject({ code: "E_DECRYPT" });
    await expect(keepsake.restore({ agent, ref: record.id })).rejects.toMatchObject({ code: "E_IDENTITY" });
    expect(await memoryState(memory)).toEqual(now);
    expect((await keepsake.list({ agent })).snapshots, "no undo for what was not done").toHaveLength(1);
  });

  it("ends the command with 12 where the identity is wrong or missing", async () => {
    await using box = await keepsakeCase({ encryption: TO_BOTH });
    const { keepsake, memory, stateRoot, temp } = box;
    await writeTree(memory, { "a.md": "a" });
    await keepsake.snapshot({ agent });
    const restore = ["restore", "--agent", agent, "latest", "--memory", memory, "--root", stateRoot, "--yes", "--json"];
    const [stranger = "", one = ""] = await identityFiles(temp, "stranger", "one");
    const ended = async (...args: readonly string[]) => {
      const { code, stderr } = await runCli([...restore, ...args]);
      return { code, error: code === 0 ? undefined : (JSON.parse(stderr) as { error: { code: string } }).error.code };
    };
    expect(await ended("--identity", stranger)).toEqual({ code: 12, error: "E_DECRYPT" });
    expect(await ended()).toEqual({ code: 12, error: "E_IDENTITY" });
    expect(await ended("--identity", stranger, "--identity", one)).toEqual({ code: 0, error: undefined });
  });

  it("is not made twice for a recipient that is named twice", async () => {
    await using box = await keepsakeCase({
      encryption: { enabled: true, recipients: [keys.one.recipient, keys.two.recipient, keys.one.recipient] },
    });
    const { keepsake, memory } = box;
    await writeTree(memory, { "a.md": "a" });
    const { record } = await keepsake.snapshot({ agent });
    expect(record.recipientsFingerprint).toHaveLength(2);
    // age's header has one stanza for each recipient.
    expect((await bundleBytes(box, record)).toString("latin1").match(/^-> X25519 /gm)).toHaveLength(2);
  });

  it.each([
    ["none", { enabled: true }],
    ["an empty list", { enabled: true, recipients: [] }],
  ])("is refused before it begins when the configuration names %s", async (_name, encryption) => {
    await using temp = await tempDir();
    const open = openKeepsake({ config: { encryption }, stateRoot: temp.join("state"), cwd: temp.path, env: {} });
    await expect(open).rejects.toMatchObject({ code: "E_CONFIG" });
    expect(await readdir(temp.path)).toEqual([]);
  });
});

describe("the snapshot that undoes a restore", () => {
  it("is encrypted to the owner of the identity, where nothing else says to whom", async () => {
    await using box = await keepsakeCase();
    const { keepsake, memory, temp } = box;
    await writeTree(memory, { "a.md": "first" });
    const { record } = await keepsake.snapshot({ agent, recipients: [keys.one.recipient] });
    await writeTree(memory, { "b.md": "second" });
    const second = await memoryState(memory);
    const mine = await identityFiles(temp, "one");

    const { preSnapshot = "" } = await keepsake.restore({ agent, ref: record.id, identityFiles: mine });
    const undo = (await keepsake.list({ agent })).snapshots.find(({ id }) => id === preSnapshot);
    expect(undo).toMatchObject({ encrypted: true, recipientsFingerprint: [keys.one.recipient.slice(-8)] });
    expect(await readdir(memory)).toEqual(["a.md"]);

    await rm(memory, { recursive: true });
    const without = keepsake.restore({ agent, ref: preSnapshot });
    await expect(without).rejects.toMatchObject({ code: "E_IDENTITY" });
    await keepsake.restore({ agent, ref: preSnapshot, identityFiles: mine });
    expect(await memoryState(memory)).toEqual(second);
  });

  it("goes to the configured recipients where there are some, whoever restores", async () => {
    await using box = await keepsakeCase({ encryption: { enabled: false, recipients: TO_BOTH.recipients } });
    const { keepsake, memory, temp } = box;
    await writeTree(memory, { "a.md": "a" });
    const { record } = await keepsake.snapshot({ agent, recipients: [keys.stranger.recipient] });
    const files = await identityFiles(temp, "stranger");
    const { preSnapshot } = await keepsake.restore({ agent, ref: record.id, identityFiles: files });
    const undo = (await keepsake.list({ agent })).snapshots.find(({ id }) => id === preSnapshot);
    expect(undo?.recipientsFingerprint).toEqual(TO_BOTH.recipients.map((recipient) => recipient.slice(-8)));
  });
});

describe.runIf(havePrograms("zstd"))("the state root of an encrypted memory", () => {
  it("tells nothing of it, by content or by name, after a snapshot and after a restore", async () => {
    await using box = await keepsakeCase({ encryption: { ...TO_BOTH, private_labels: true } });
    const { keepsake, memory, stateRoot, temp } = box;
    await fill(memory);
    await using open = await keepsakeCase();
    await open.keepsake.snapshot({ agent, memory, label: CANARY });
    const told = await findPlaintext(open.stateRoot, CANARY);
    expect(
      told.some((path) => path.endsWith(".tar.zst")),
      "the search finds it where it can be read",
    ).toBe(true);
    expect(
      told.some((path) => path.endsWith(".json")),
      "and in a label",
    ).toBe(true);

    const { record } = await keepsake.snapshot({ agent, label: CANARY });
    expect(record.label).toBeUndefined();
    expect(await findPlaintext(stateRoot, CANARY)).toEqual([]);
    await writeTree(memory, { "new.md": `also ${CANARY}` });
    const files = await identityFiles(temp, "one");
    await keepsake.restore({ agent, ref: record.id, identityFiles: files });
    expect(await findPlaintext(stateRoot, CANARY)).toEqual([]);
    const { snapshots } = await keepsake.list({ agent });
    expect(snapshots.map(({ label }) => label)).toEqual([undefined, undefined]);
    // Inside, for who has the key, it is there.
    expect(await keepsake.show({ agent, ref: record.id, identityFiles: files })).toMatchObject({ label: CANARY });
  });

  it("has a label in it where labels are not private, and nothing else", async () => {
    await using box = await keepsakeCase({ encryption: TO_BOTH });
    const { keepsake, memory, stateRoot } = box;
    await fill(memory);
    const { record } = await keepsake.snapshot({ agent, label: "good" });
    expect(record.label).toBe("good");
    expect(await findPlaintext(stateRoot, CANARY)).toEqual([]);
    for (const name of ["long_term", "MEMORY.md", "secret.md", "topics"]) {
      expect(await findPlaintext(stateRoot, name), name).toEqual([]);
    }
  });

  it("keeps no plaintext of a snapshot that was killed, once the next operation is over", async () => {
    await using box = await keepsakeCase({ encryption: TO_BOTH });
    const { keepsake, memory, stateRoot, temp } = box;
    await fill(memory);
    // Slow to compress at the level below, so that there is a middle to be killed in.
    await writeTree(memory, { "big.txt": slowText(16 << 20) });
    await writeFile(
      temp.join("slow.json"),
      JSON.stringify({
        version: 1,
        codecs: [{ use: "zstd", level: 19 }],
        encryption: TO_BOTH,
        redaction: { default: false },
      }),
    );
    const args = ["snapshot", "--agent", agent, "--memory", memory, "--root", stateRoot];
    const child = spawn(process.execPath, [BIN, ...args, "--config", temp.join("slow.json")], { stdio: "ignore" });
    const ended = once(child, "exit");
    let staged: readonly string[] = [];
    while (staged.length === 0 && child.exitCode === null && child.signalCode === null) {
      staged = await findPlaintext(join(stateRoot, "staging"), CANARY);
    }
    child.kill("SIGKILL");
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect((await findPlaintext(stateRoot, CANARY)).length, "plaintext was in private staging").toBeGreaterThan(0);

    await rm(join(memory, "big.txt"));
    const { record } = await keepsake.snapshot({ agent });
    expect(await findPlaintext(stateRoot, CANARY)).toEqual([]);
    expect((await keepsake.list({ agent })).snapshots.map(({ id }) => id)).toEqual([record.id]);
  });
});

describe("an export of an encrypted snapshot", () => {
  it("is encrypted anew to others, who alone can read it", async () => {
    await using box = await keepsakeCase({ encryption: TO_BOTH });
    const { keepsake, memory, temp } = box;
    await fill(memory);
    const before = await memoryState(memory);
    const { record } = await keepsake.snapshot({ agent });
    await writeTree(temp.path, { out: { directory: true }, blind: { directory: true } });
    const recipients = [keys.stranger.recipient];
    const blind = keepsake.export({ agent, ref: record.id, to: temp.join("blind"), recipients });
    await expect(blind, "without a key").rejects.toMatchObject({ code: "E_IDENTITY" });
    expect(await readdir(temp.join("blind"))).toEqual([]);

    const mine = await identityFiles(temp, "one");
    const made = await keepsake.export({
      agent,
      ref: record.id,
      to: temp.join("out"),
      recipients,
      identityFiles: mine,
    });
    expect(made.bundle).toMatch(/\.tar\.zst\.age$/);
    await rm(memory, { recursive: true });
    const byMe = keepsake.restore({ agent, bundleFile: made.bundle, identityFiles: mine });
    await expect(byMe).rejects.toMatchObject({ code: "E_DECRYPT" });
    const theirs = await identityFiles(temp, "stranger");
    await keepsake.restore({ agent, bundleFile: made.bundle, identityFiles: theirs });
    expect(await memoryState(memory)).toEqual(before);
  });

  it.each([
    ["as it is", {}],
    ["to an empty list", { recipients: [] }],
    ["redacted, to nobody named", { redact: true }],
  ])("%s: is never plaintext", async (_name, how) => {
    await using box = await keepsakeCase();
    const { keepsake, memory, temp } = box;
    await fill(memory);
    const { record } = await keepsake.snapshot({ agent, recipients: TO_BOTH.recipients });
    await writeTree(temp.path, { out: { directory: true } });
    const files = await identityFiles(temp, "two");
    const made = await keepsake.export({ agent, ref: record.id, to: temp.join("out"), identityFiles: files, ...how });
    expect(made.bundle).toMatch(/\.tar\.zst\.age$/);
    expect((await readFile(made.bundle)).subarray(0, 22).toString()).toBe("age-encryption.org/v1\n");
    expect(await keepsake.verify({ bundleFile: made.bundle, identityFiles: files })).toMatchObject({
      ok: true,
      ageProtected: true,
    });
    const stranger = await identityFiles(temp, "stranger");
    expect(await keepsake.verify({ bundleFile: made.bundle, identityFiles: stranger })).toMatchObject({ ok: false });
  });

  it("redacted and to an empty list: is refused, and leaves nothing", async () => {
    await using box = await keepsakeCase();
    const { keepsake, memory, temp } = box;
    await writeTree(memory, { "a.md": "a" });
    const { record } = await keepsake.snapshot({ agent, recipients: TO_BOTH.recipients });
    await writeTree(temp.path, { out: { directory: true } });
    const made = keepsake.export({
      agent,
      ref: record.id,
      to: temp.join("out"),
      identityFiles: await identityFiles(temp, "two"),
      redact: true,
      recipients: [],
    });
    await expect(made).rejects.toMatchObject({ code: "E_RECIPIENT" });
    expect(await readdir(temp.join("out"))).toEqual([]);
  });
});

/** Text that takes a compressor long: words in an order that never repeats. */
function slowText(sizeBytes: number): string {
  const words: string[] = [];
  let state = 1;
  for (let size = 0; size < sizeBytes; size += 8) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    words.push(state.toString(36).padStart(7, "0"));
  }
  return words.join(" ");
}
