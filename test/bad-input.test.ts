import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256Hex } from "@keepsake/core";
import { writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { CliCase, expectRefused } from "./support/cli-case.js";
import { execute } from "./support/execute.js";
import { holdLock } from "./support/hold-lock.js";
import { AS_OTHER, giveAway } from "./support/other-user.js";
import { runCli } from "./support/run-cli.js";

const ABSENT_ID = "01890a5d-ac96-774b-bcce-b302099a8057";

/** A memory with two snapshots, then changed. */
async function settled(): Promise<CliCase & { readonly ids: readonly string[] }> {
  const box = await CliCase.make();
  await writeTree(box.memory, { "a.md": "one\n" });
  const first = await box.snapshot();
  await writeTree(box.memory, { "a.md": "two\n" });
  const second = await box.snapshot();
  await writeTree(box.memory, { "a.md": "live\n" });
  return Object.assign(box, { ids: [first, second] });
}

const storeFolder = (box: CliCase): string => join(box.root, "tenants/default/snapshots/ana");

describe("what is not there, or names nothing", () => {
  it("an unknown agent and an empty memory are errors, and make nothing", async () => {
    await using box = await CliCase.make();
    const before = await box.everything();
    expectRefused(await box.run("snapshot"), 10, "E_UNKNOWN_AGENT");
    expectRefused(await box.run("snapshot", ["--memory", box.temp.join("nowhere")]), 10, "E_UNKNOWN_AGENT");
    expectRefused(await box.runLive("snapshot"), 10, "E_NOTHING_TO_CAPTURE");
    expect(await box.everything()).toEqual(before);
  });

  it("references: malformed, unknown, ambiguous", async () => {
    await using box = await settled();
    const before = await box.everything();
    const [first = ""] = box.ids;
    expectRefused(await box.run("show", ["No Such Thing"]), 2, "E_INVALID_ID");
    expectRefused(await box.run("show", ["abc"]), 2, "E_INVALID_ID");
    expectRefused(await box.run("show", [ABSENT_ID]), 10, "E_NOT_FOUND");
    expectRefused(await box.run("show", ["latest~2"]), 10, "E_NOT_FOUND");
    const { context } = expectRefused(await box.run("show", [first.slice(0, 6)]), 2, "E_AMBIGUOUS_REF");
    expect(context["candidates"]).toEqual([...box.ids].reverse());
    expectRefused(await runCli(["list", "--agent", "../x", "--root", box.root, "--json"]), 2, "E_INVALID_ID");
    expectRefused(await box.run("verify", ["--bundle", box.temp.join("none.tar.zst")].slice(2)), 2, "E_USAGE");
    expectRefused(await box.runLive("restore", ["--from", box.temp.join("none.tar.zst"), "--yes"]), 10, "E_NOT_FOUND");
    expect(await box.everything()).toEqual(before);
  });

  it("usage errors", async () => {
    for (const args of [
      ["snapshot"],
      ["nonsense"],
      ["list", "--agent", "ana", "--color", "red"],
      ["restore", "--agent", "ana"],
    ])
      expectRefused(await runCli([...args, "--json"]), 2, "E_USAGE");
  });

  it("config mistakes are told all at once, with file and path", async () => {
    await using box = await CliCase.make();
    await writeTree(box.temp.path, {
      "keepsake.config.yaml":
        "version: 1\nunknwon: 1\ncut: { attempts: 0 }\nrestore: { verify_after: maybe }\nlock: { timeout_secs: soon }\nencryption: { enabled: true, recipients: [age1nope] }\n",
    });
    const { message, context } = expectRefused(await box.run("list"), 2, "E_CONFIG");
    for (const path of [
      "unknwon",
      "cut.attempts",
      "restore.verify_after",
      "lock.timeout_secs",
      "encryption.recipients[0]",
    ])
      expect(`${message} ${JSON.stringify(context)}`).toContain(path);
    expect(`${message} ${JSON.stringify(context)}`).toContain("keepsake.config.yaml");
  });
});

describe("what cannot be read", () => {
  it("an unreadable file makes the snapshot incomplete, and is named", async () => {
    await using box = await CliCase.make();
    await writeTree(box.memory, { "a.md": "a", "secret.md": "s", "shut/b.md": "b" });
    await giveAway(box.temp.path);
    await chmod(join(box.memory, "secret.md"), 0);
    await chmod(join(box.memory, "shut"), 0);
    const before = await box.leftovers();
    const run = await box.runLive("snapshot", [], { wrapper: AS_OTHER });
    expect(run, run.stderr).toMatchObject({ code: 3 });
    expect(JSON.parse(run.stdout)).toMatchObject({ complete: false });
    const shown = await box.run("show", ["latest"], { wrapper: AS_OTHER });
    const { omitted } = JSON.parse(shown.stdout) as { omitted: { path: string; reason: string }[] };
    // Every source that had to look there says so.
    const said = new Set(omitted.map(({ path, reason }) => `${path}: ${reason}`));
    expect([...said].sort()).toEqual(["secret.md: unreadable", "shut: unreadable"]);
    expect(await box.leftovers()).toEqual(before);
  });

  it("a FIFO, a socket and a device are recorded, and nobody waits for them", async () => {
    await using box = await CliCase.make();
    await writeTree(box.memory, { "a.md": "a" });
    await execute("mkfifo", [join(box.memory, "pipe")]);
    const bind = "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])";
    await execute("python3", ["-c", bind, "socket"], { cwd: box.memory });
    const special = ["pipe", "socket"];
    if (process.getuid?.() === 0) {
      await execute("mknod", [join(box.memory, "device"), "c", "1", "5"]);
      special.push("device");
    }
    const id = await box.snapshot();
    const { omitted } = JSON.parse((await box.run("show", [id])).stdout) as {
      omitted: { path: string; reason: string }[];
    };
    expect(omitted.map(({ path, reason }) => `${path} ${reason}`).sort()).toEqual(
      special.map((path) => `${path} special_file`).sort(),
    );
  });

  it("a damaged database is left out and named; all others come", async () => {
    await using box = await CliCase.make();
    const header = Buffer.from("SQLite format 3\0");
    await writeTree(box.memory, { "a.md": "a", "bad.sqlite": Buffer.concat([header, Buffer.alloc(5000, 7)]) });
    await execute("sqlite3", [join(box.memory, "good.sqlite"), "create table t (a); insert into t values (1)"]);
    const run = await box.runLive("snapshot");
    expect(run.code).toBe(3);
    const manifest = JSON.parse((await box.run("show", ["latest"])).stdout) as {
      omitted: object[];
      artifacts: { path_in_bundle: string }[];
    };
    expect(manifest.omitted).toMatchObject([{ source: "sqlite", path: "bad.sqlite", code: "E_DATABASE_DAMAGED" }]);
    expect(manifest.artifacts.map((artifact) => artifact.path_in_bundle)).toEqual([
      "memory_files/a.md",
      "sqlite/good.sqlite",
    ]);
  });
});

describe("a place that cannot be written", () => {
  it("a read-only store: nothing is visible, and reading goes on", async () => {
    await using box = await settled();
    await giveAway(box.temp.path);
    await chmod(storeFolder(box), 0o500);
    const before = await box.everything();
    const { code, message } = expectRefused(
      await box.runLive("snapshot", [], { wrapper: AS_OTHER }),
      1,
      "E_PERMISSION",
    );
    expect(`${code} ${message}`).toContain("E_PERMISSION");
    expect(await box.everything()).toEqual(before);
    expect((await box.run("list", [], { wrapper: AS_OTHER })).code).toBe(0);
  });

  describe.runIf(process.getuid?.() === 0)("on a disk of its own", () => {
    /** Runs `work` with the state root on a small disk, filled but for `freeKiB`. */
    async function withDisk(box: CliCase, options: string, work: () => Promise<void>): Promise<void> {
      const stored = box.temp.join("stored");
      await mkdir(box.root, { recursive: true });
      await rename(box.root, stored);
      await mkdir(box.root);
      await execute("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", box.root]);
      try {
        await execute("cp", ["-a", `${stored}/.`, box.root]);
        await rm(stored, { recursive: true });
        if (options !== "") await execute("mount", ["-o", `remount,${options}`, box.root]);
        await work();
      } finally {
        await execute("umount", ["-l", box.root]);
      }
    }

    it("that is full: a snapshot leaves nothing, a restore changes nothing", async () => {
      await using box = await settled();
      await withDisk(box, "", async () => {
        await writeFile(join(box.memory, "big.bin"), Buffer.alloc(6 << 20, 1));
        const before = await box.everything();
        expectRefused(await box.runLive("snapshot"), 1, "E_NO_SPACE");
        expect(await box.everything()).toEqual(before);
        // The pre-restore snapshot does not fit: then nothing is restored.
        expectRefused(await box.runLive("restore", ["latest", "--yes"]), 1, "E_NO_SPACE");
        expect(await box.everything()).toEqual(before);
        const restored = await box.runLive("restore", ["latest", "--yes", "--no-pre-snapshot"]);
        expect(restored, restored.stderr).toMatchObject({ code: 0 });
        expect(await readFile(join(box.memory, "a.md"), "utf8")).toBe("two\n");
      });
    });

    it("that is read-only: the code says so", async () => {
      await using box = await settled();
      await withDisk(box, "ro", async () => {
        const before = await box.everything();
        expectRefused(await box.runLive("snapshot"), 1, "E_READ_ONLY");
        expect(await box.everything()).toEqual(before);
        expect((await box.run("list")).code).toBe(0);
        expect((await box.run("verify", ["latest"])).code).toBe(0);
      });
    });
  });
});

describe("a bundle in the store that is not what it was", () => {
  it("without its .sha256 is no good: verify says 4, and no restore uses it", async () => {
    await using box = await settled();
    const [, second = ""] = box.ids;
    await rm(join(storeFolder(box), `${second}.tar.zst.sha256`));
    const before = await box.everything();
    const verified = await box.run("verify", ["latest"]);
    expect(verified.code).toBe(4);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: false });
    const { hint } = expectRefused(await box.runLive("restore", ["latest", "--yes"]), 4, "E_INTEGRITY");
    expect(hint).toContain("sha256sum");
    expect(await box.everything()).toEqual(before);
  });

  it("whose record is gone or planted is not listed, and said to be so", async () => {
    await using box = await settled();
    const [first = "", second = ""] = box.ids;
    const folder = storeFolder(box);
    await rename(join(folder, `${first}.json`), join(folder, `${ABSENT_ID}.json`));
    const listed = await box.run("list");
    expect(listed.code).toBe(3);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      snapshots: [{ id: second }],
      unreadable: [{ code: "E_RECORD" }],
    });
    expectRefused(await box.runLive("restore", [ABSENT_ID, "--yes"]), 4, "E_RECORD");
  });
});

describe("what is refused", () => {
  it("deleting the last snapshot, and the newest verified one", async () => {
    await using box = await settled();
    const [first = ""] = box.ids;
    expect((await box.run("verify", [first])).code).toBe(0);
    const before = await box.everything();
    expectRefused(await box.run("delete", [first, "--yes"]), 5, "E_NEWEST_VERIFIED");
    expectRefused(await box.run("delete", ["latest"]), 5, "E_CONFIRMATION");
    expect(await box.everything()).toEqual(before);
    expect((await box.run("delete", ["latest", "--yes"])).code).toBe(0);
    expectRefused(await box.run("delete", ["latest", "--yes"]), 5, "E_LAST_SNAPSHOT");
    expect((await readdir(storeFolder(box))).filter((name) => name.endsWith(".json"))).toEqual([`${first}.json`]);
  });

  it("a restore over live memory that nobody confirmed", async () => {
    await using box = await settled();
    const before = await box.everything();
    expectRefused(await box.runLive("restore", ["latest"]), 5, "E_CONFIRMATION");
    expect(await box.everything()).toEqual(before);
  });

  it("a bundle of another agent, of another tenant, of an unknown ending", async () => {
    await using box = await settled();
    const out = box.temp.join("out");
    await mkdir(out);
    const exported = JSON.parse((await box.run("export", ["latest", "--to", out])).stdout) as { bundle: string };
    const live = ["--memory", box.memory, "--root", box.root, "--json", "--yes", "--from", exported.bundle];
    const before = await box.everything();
    expectRefused(await runCli(["restore", "--agent", "bob", ...live]), 5, "E_WRONG_AGENT");
    expectRefused(await runCli(["restore", "--agent", "ana", "--tenant", "other", ...live]), 5, "E_WRONG_TENANT");
    expectRefused(
      await runCli(["import", "--agent", "bob", "--root", box.root, "--json", "--from", exported.bundle]),
      5,
      "E_WRONG_AGENT",
    );
    expectRefused(await box.run("import", ["--from", exported.bundle]), 10, "E_ALREADY_EXISTS");
    expectRefused(await box.run("export", ["latest", "--to", out]), 10, "E_ALREADY_EXISTS");
    expectRefused(await box.run("export", ["latest", "--to", join(out, "named.zip")]), 2, "E_USAGE");
    const odd = join(out, "x.tar.lzma");
    await writeFile(odd, "x");
    await writeFile(`${odd}.sha256`, `${sha256Hex("x")}\n`);
    expectRefused(await box.runLive("restore", ["--yes", "--from", odd]), 6, "E_UNSUPPORTED");
    expect(await box.everything()).toEqual(before);
  });

  it("a redacted bundle over live memory, unless that is accepted", async () => {
    await using box = await CliCase.make();
    await writeTree(box.memory, { "keys.md": `token ghp_${"a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8".slice(0, 36)}\n` });
    const taken = await box.runLive("snapshot", ["--redact"]);
    expect(JSON.parse(taken.stdout)).toMatchObject({ redactions_applied: true });
    const before = await box.everything();
    expectRefused(await box.runLive("restore", ["latest", "--yes"]), 5, "E_REDACTED_BUNDLE");
    expect(await box.everything()).toEqual(before);
    expect((await box.runLive("restore", ["latest", "--yes", "--accept-redacted"])).code).toBe(0);
    expect(await readFile(join(box.memory, "keys.md"), "utf8")).toContain("[REDACTED:");
  });

  it("a second operation while the agent's lock is held, by a process that lives", async () => {
    await using box = await settled();
    await writeTree(box.temp.path, { "keepsake.config.yaml": "version: 1\nlock: { timeout_secs: 0 }\n" });
    const before = await box.everything();
    {
      await using _holder = await holdLock(box.root, "agents/default/ana");
      expectRefused(await box.runLive("snapshot"), 11, "E_LOCKED");
      expectRefused(await box.runLive("restore", ["latest", "--yes"]), 11, "E_LOCKED");
      expectRefused(await box.run("delete", ["latest", "--yes"]), 11, "E_LOCKED");
      expect(await box.everything()).toEqual(before);
    }
    // The holder was killed: nobody has to clean up after it.
    expect((await box.runLive("snapshot")).code).toBe(0);
  });
});

describe("what is encrypted", () => {
  it("needs the right identity: for a look inside, and for a restore", async () => {
    await using box = await CliCase.make();
    await writeTree(box.memory, { "a.md": "secret\n" });
    const key = async (name: string): Promise<string> =>
      (await runCli(["keygen", "--output", box.temp.join(name)])).stdout.trim();
    const recipient = await key("right.key");
    await key("wrong.key");
    await writeTree(box.temp.path, { "broken.key": "no identity\n" });
    await box.snapshot("--encrypt", recipient);
    await writeTree(box.memory, { "a.md": "live\n" });
    const before = await box.everything();
    const identity = (name: string) => ["--identity", box.temp.join(name)];
    for (const [more, code] of [
      [[], "E_IDENTITY"],
      [identity("broken.key"), "E_IDENTITY"],
      [identity("wrong.key"), "E_DECRYPT"],
    ] as const) {
      expectRefused(await box.runLive("restore", ["latest", "--yes", ...more]), 12, code);
      expectRefused(await box.run("show", ["latest", ...more]), 12, code);
    }
    const wrong = await box.run("verify", ["latest", ...identity("wrong.key")]);
    expect(wrong.code).toBe(12);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ ok: false });
    expect(JSON.parse((await box.run("verify", ["latest"])).stdout)).toMatchObject({ ok: true });
    expectRefused(await box.runLive("snapshot", ["--encrypt", "age1nonsense"]), 2, "E_RECIPIENT");
    expect(await box.everything()).toEqual(before);
    expect((await box.runLive("restore", ["latest", "--yes", ...identity("right.key")])).code).toBe(0);
  });
});
