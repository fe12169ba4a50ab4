import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeTree } from "@keepsake/testkit";
import { beforeAll, describe, expect, it } from "vitest";
import { git } from "./support/agent-memory.js";
import { CliCase, expectRefused } from "./support/cli-case.js";
import { havePrograms } from "./support/programs.js";
import { randomText } from "./support/random-text.js";
import { runCli } from "./support/run-cli.js";
import { storedFiles, unpackByPrograms } from "./support/unpack-by-programs.js";

const token = (): string => `ghp_${randomText(36)}`;
const PATH = "git/objects/redacted-oids";

describe.runIf(havePrograms("zstd", "tar", "git", "age"))("a map of ids in a redacted bundle", () => {
  let box: CliCase;
  let recipient: string;
  let identity: string;
  let before: string;

  const configure = (options: string): Promise<void> =>
    writeFile(
      box.temp.join("keepsake.yaml"),
      `sources: [{ use: git${options} }, { use: memdir }]\nagents: { ana: { memory: ${box.memory} } }\n`,
    );
  const run = (command: string, ...args: readonly string[]) =>
    box.run(command, ["--config", box.temp.join("keepsake.yaml"), ...args]);
  const taken = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run("snapshot", ...args);
    expect(code, stderr).toBe(0);
    return (JSON.parse(stdout) as { bundle_path: string }).bundle_path;
  };
  const mapIn = async (bundle: string): Promise<string | undefined> => {
    const folder = await unpackByPrograms(bundle, box.temp.join(`out-${randomText(8)}`), identity);
    return readFile(join(folder, PATH), "utf8").catch(() => undefined);
  };

  beforeAll(async () => {
    box = await CliCase.make();
    await writeTree(box.memory, { "a.md": `uses ${token()}\n` });
    await git(box.memory, "init", "-q", "-b", "main");
    await git(box.memory, "add", "-A");
    await git(box.memory, "commit", "-q", "-m", "told");
    before = await git(box.memory, "rev-parse", "HEAD");
    identity = box.temp.join("mine");
    const made = await runCli(["keygen", "--output", identity, "--json"], { cwd: box.temp.path });
    ({ recipient } = JSON.parse(made.stdout) as { recipient: string });
    await configure(", oid_map: true");
    return () => box[Symbol.asyncDispose]();
  }, 60_000);

  it("is refused where everybody could read it, and the redaction with it", async () => {
    expectRefused(await run("snapshot", "--redact"), 2, "E_CONFIG");
    await taken("--no-redact");
    const to = box.temp.join("refused.tar.zst");
    expectRefused(await run("export", "latest", "--redact", "--to", to), 2, "E_CONFIG");
    await expect(access(to)).rejects.toThrow();
  });

  it("is in an encrypted one, and a restore leaves it there", async () => {
    const { bundle } = storedFiles(box.root, await taken("--redact", "--encrypt", recipient));
    const map = await mapIn(bundle);
    const there = box.temp.join("there");
    const over = ["--memory", there, "--identity", identity, "--yes"];
    expect(await run("restore", "latest", ...over)).toMatchObject({ code: 0 });
    const after = await git(there, "rev-parse", "HEAD");
    expect(after).not.toBe(before);
    expect(map?.split("\n")).toContain(`${before} ${after}`);
    await expect(access(join(there, ".git/objects/redacted-oids"))).rejects.toThrow();
    expect(await git(there, "fsck", "--full", "--strict")).toBe("");
    expect(await git(there, "status", "--porcelain")).toBe("");
  });

  it("is made on the way out of the store, and is not handed on by a redaction that is not asked for it", async () => {
    await taken("--no-redact", "--encrypt", recipient);
    const [asked, plain] = [box.temp.join("asked.tar.zst.age"), box.temp.join("plain.tar.zst.age")];
    const args = ["latest", "--redact", "--identity", identity, "--encrypt", recipient, "--to"];
    expect(await run("export", ...args, asked)).toMatchObject({ code: 0 });
    expect(await mapIn(asked)).toContain(`${before} `);
    await taken("--redact", "--encrypt", recipient);
    await configure("");
    expect(await run("export", ...args, plain)).toMatchObject({ code: 0 });
    expect(await mapIn(plain)).toBeUndefined();
  });

  it("is of a history that is rewritten: with another choice the configuration is wrong", async () => {
    await configure(", history: omit, oid_map: true");
    expectRefused(await run("snapshot"), 2, "E_CONFIG");
  });
});
