import { readFile, stat, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { Bench } from "./support/keepsake.js";

const bench = new Bench();
const COMMANDS = [
  ...["snapshot", "list", "show", "verify", "restore", "diff", "export", "import", "delete", "prune"],
  ...["init", "recover", "doctor", "keygen", "plugins", "config"],
];
const SECRET = "AGE-SECRET-KEY-1QQPQYQGZ6J6YZ5RZ0TYR8X7PW7WTQ3G8LSRMZ4AMSQFVJ8RJSLTQ4NE9AF";

describe("help and version", () => {
  it("need nothing, and load nothing of the engine", async () => {
    const version = await bench.run(["--version"]);
    expect(version).toMatchObject({ code: 0, stdout: "0.1.0\n", stderr: "" });
    const help = await bench.run(["--help"]);
    expect(help.code).toBe(0);
    for (const command of COMMANDS) expect(help.stdout).toMatch(new RegExp(`^ {2}${command}\\b`, "m"));
    const loaded = await bench.runAlone(["--version"], { env: { NODE_DEBUG: "esm" } });
    expect(loaded.stderr).toContain("commander");
    expect(loaded.stderr).not.toMatch(/packages\/(core|engine|runtime|standard)\//);
  });

  it("of each command name its options and the global ones", async () => {
    const help = await bench.run(["restore", "--help"]);
    expect(help.code).toBe(0);
    for (const option of [
      "--only",
      "--dry-run",
      "--identity",
      "--no-pre-snapshot",
      "--live",
      "--accept-redacted",
      "--yes",
    ]) {
      expect(help.stdout).toContain(option);
    }
    expect(help.stdout).toContain("--root <dir>");
  });
});

describe("a wrong command line ends with 2", () => {
  it.each([
    [[], "command is needed"],
    [["snapshto", "--agent", "a"], "did you mean snapshot"],
    [["snapshot"], "--agent"],
    [["snapshot", "--agent", "a", "--frobnicate"], "--frobnicate"],
    [["list"], "either --agent or --all"],
    [["list", "--agent", "a", "--all"], "either --agent or --all"],
    [["verify", "--agent", "a"], "--bundle alone"],
    [["verify", "--agent", "a", "latest", "--bundle", "x"], "--bundle alone"],
    [["restore", "--agent", "a"], "--from"],
    [["restore", "--agent", "a", "latest", "--from", "x"], "--from"],
    [["prune"], "either --agent or --all"],
    [["prune", "--agent", "a", "--keep-last", "0"], "whole number from 1"],
    [["diff", "--agent", "a", "latest"], "to"],
    [["show", "--agent", "a", "x", "y"], "Too many arguments"],
  ])("%j: %s", async (args, text) => {
    const plain = await bench.run(args);
    expect(plain).toMatchObject({ code: 2, stdout: "" });
    expect(plain.stderr).toContain("[E_USAGE]");
    expect(plain.stderr).toContain(text);
    const json = await bench.run([...args, "--json"]);
    expect(json).toMatchObject({ code: 2, stdout: "" });
    expect(json.error()).toMatchObject({ code: "E_USAGE", context: {} });
    expect(json.error().message).toContain(text);
  });

  it("takes no secret, and does not repeat it", async () => {
    for (const args of [
      ["snapshot", "--agent", "a", "--encrypt", SECRET],
      ["verify", "--agent", "a", "latest", `--identity=${SECRET}`],
      ["restore", "--agent", "a", "latest", "--identity", SECRET.toLowerCase()],
      ["show", SECRET],
    ]) {
      const ran = await bench.run(args);
      expect(ran).toMatchObject({ code: 2, stdout: "" });
      expect(ran.stderr.toUpperCase()).not.toContain("QQPQYQGZ");
    }
  });
});

describe("keygen", () => {
  it("writes an identity as age-keygen does, for its owner alone", async () => {
    const ran = await bench.run(["keygen", "--output", "key.txt"]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^age1[a-z0-9]{58}\n$/);
    const text = await readFile(bench.path("key.txt"), "utf8");
    expect(text).toMatch(
      /^# created: \d{4}-\d\d-\d\dT[\d:]{8}Z\n# public key: (age1\w+)\nAGE-SECRET-KEY-1[A-Z0-9]{58}\n$/,
    );
    expect(text).toContain(ran.stdout.trim());
    expect((await stat(bench.path("key.txt"))).mode & 0o777).toBe(0o600);
  });

  it("never overwrites", async () => {
    await writeFile(bench.path("there.txt"), "mine");
    const ran = await bench.run(["keygen", "--output", "there.txt", "--json"]);
    expect(ran.code).toBe(10);
    expect(ran.error().code).toBe("E_ALREADY_EXISTS");
    expect(await readFile(bench.path("there.txt"), "utf8")).toBe("mine");
  });

  it("prints a JSON document, without the secret where that went into a file", async () => {
    const printed = await bench.run(["--json", "keygen"]);
    expect(Object.keys(printed.json())).toEqual(["identity", "recipient"]);
    const written = await bench.run(["keygen", "--output", "other.txt", "--json"]);
    expect(Object.keys(written.json())).toEqual(["recipient", "identity_file"]);
    expect(written.json()).toMatchObject({ identity_file: bench.path("other.txt") });
    expect(written.stdout).not.toContain("SECRET");
  });
});
