import { writeFile } from "node:fs/promises";
import { tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { findConfigFile } from "../src/config/find-config-file.js";
import { type ConfigRequest, type LoadedConfig, loadConfig } from "../src/config/load-config.js";
import type { KeepsakeConfigInput } from "../src/config/schema.js";
import { failure, problemsOf } from "./failure.js";
import { fakePlugin } from "./fake-parts.js";

const load = (source: unknown, more: Partial<ConfigRequest> = {}): Promise<LoadedConfig> =>
  loadConfig({
    source: source as KeepsakeConfigInput,
    plugins: [fakePlugin()],
    cwd: "/work-dir",
    env: { HOME: "/home/ana" },
    timeoutMs: 5000,
    ...more,
  });

/** One mistake each, and the problem it gives. */
const MISTAKES: readonly (readonly [string, unknown, string])[] = [
  ["another version", { version: 2 }, "version: this program reads configuration version 1"],
  ["an unknown key", { retentoin: {} }, 'retentoin: unknown key; did you mean "retention"?'],
  ["an unknown key deeper", { cut: { attempt: 3 } }, 'cut.attempt: unknown key; did you mean "attempts"?'],
  [
    "an unknown key of an agent",
    { agents: { ana: { memroy: "x" } } },
    'agents.ana.memroy: unknown key; did you mean "memory"?',
  ],
  [
    "a wrong type",
    { lock: { timeout_secs: "60" } },
    "lock.timeout_secs: Invalid input: expected number, received string",
  ],
  [
    "a negative number",
    { retention: { keep_count: -1 } },
    "retention.keep_count: Too small: expected number to be >=0",
  ],
  [
    "an interval no timer takes",
    { retention: { interval_secs: 3_000_000 } },
    "retention.interval_secs: Too big: expected number to be <=2147483",
  ],
  [
    "an unknown choice",
    { cut: { allow: "maybe" } },
    'cut.allow: Invalid option: expected one of "instant"|"fenced"|"best_effort"',
  ],
  [
    "an unknown redaction mode",
    { redaction: { mode: "tell" } },
    'redaction.mode: Invalid option: expected one of "redact"|"block"|"warn"',
  ],
  [
    "an unknown verification",
    { restore: { verify_after: "live" } },
    'restore.verify_after: Invalid option: expected one of "none"|"stored"|"restorable"',
  ],
  [
    "encryption to nobody",
    { encryption: { enabled: true } },
    "encryption.recipients: encryption is enabled and there is no recipient",
  ],
  [
    "a passphrase in the open",
    { encryption: { enabled: true, passphrase: "hunter2" } },
    "encryption.passphrase: a secret is written as a reference, { env: NAME } or { file: path }, never as the value itself",
  ],
  [
    "a malformed recipient",
    { encryption: { recipients: ["age1ok", "pgp"] } },
    "encryption.recipients[1]: not an age recipient",
  ],
  [
    "an unknown key of encryption",
    { encryption: { enbled: true } },
    'encryption.enbled: unknown key; did you mean "enabled"?',
  ],
  ["an unknown encryption", { encryption: { use: "gpg" } }, 'encryption.use: unknown codec "gpg"; known are age, zstd'],
  [
    "redaction by nothing",
    { redaction: { policies: [] } },
    "redaction.policies: redaction is on by default and there is no policy; set redaction.default: false to go without",
  ],
  [
    "an unknown policy",
    { redaction: { policies: ["defaults"] } },
    'redaction.policies[0].use: unknown redaction "defaults"; did you mean "default"?',
  ],
  ["an unknown codec", { codecs: [{ use: "zst" }] }, 'codecs[0].use: unknown codec "zst"; did you mean "zstd"?'],
  ["a wrong option", { codecs: [{ use: "zstd", level: 99 }] }, "codecs[0].level: Too big: expected number to be <=22"],
  ["an unknown option", { codecs: [{ use: "zstd", levl: 3 }] }, 'codecs[0].levl: unknown key; did you mean "level"?'],
  [
    "an option where there are none",
    { redaction: { policies: [{ use: "default", strict: true }] } },
    "redaction.policies[0].strict: unknown key; known are mode, use",
  ],
  [
    "no primary store",
    { stores: { main: { use: "local-fs", root: "x" } } },
    "stores: one of the stores must be called primary",
  ],
  [
    "a store for each agent",
    { stores: { primary: { use: "local-fs", root: "{agent}" } } },
    "stores.primary: a store holds all agents: {agent} and {tenant} are not filled in here",
  ],
  ["an unknown preset", { preset: "directoy" }, 'preset: unknown preset "directoy"; did you mean "directory"?'],
  [
    "an unknown preset of an agent",
    { agents: { "*": { preset: "nil" } } },
    'agents["*"].preset: unknown preset "nil"; known are directory, home',
  ],
  [
    "a bad agent name",
    { agents: { Ana: {} } },
    'agents.Ana: is neither "*" nor an agent id (1 to 64 of [a-z0-9_-], not with _ or - at an end)',
  ],
  [
    "two sources of one id",
    { sources: [{ use: "sqlite" }, { use: "sqlite" }] },
    "sources[1]: a second entry with the same use sqlite; give each an `id` of its own",
  ],
  ["a bad source id", { sources: [{ use: "sqlite", id: "A b" }] }, "sources[0].id: an id is 1 to 64 of [a-z0-9_]"],
  [
    "the id of the state",
    { sources: [{ use: "sqlite", id: "state" }] },
    'sources[0].id: the id "state" is taken by the state values',
  ],
  ["no sources", { sources: [] }, "sources: Too small: expected array to have >=1 items"],
  [
    "an option of an agent's source",
    { agents: { ana: { sources: [{ use: "memdir", max: 1 }] } } },
    "agents.ana.sources[0].max: unknown key; known are id, max_file_bytes, use",
  ],
  ["a lock's option", { lock: { leas_secs: 3 } }, 'lock.leas_secs: unknown key; did you mean "lease_secs"?'],
  [
    "a publisher's option",
    { events: { publishers: [{ use: "bell" }] } },
    "events.publishers[0].subject: Invalid input: expected string, received undefined",
  ],
  [
    "a plugin that is a number",
    { plugins: [7] },
    "plugins[0]: expected a package name, a path that begins with a dot, or in a program the plugin itself",
  ],
  [
    "an unset variable",
    { state_root: "${NOPE}/x" },
    "state_root: the environment variable NOPE is not set and has no default",
  ],
  [
    "a variable where a placeholder is meant",
    { agents: { "*": { memory: "./${agent}" } } },
    'agents["*"].memory: the environment variable agent is not set and has no default; did you mean {agent}, without the $?',
  ],
  [
    "a half-open reference",
    { state_root: "${1}" },
    "state_root: a `${` without the name of a variable and a `}`; write `$${` for the characters themselves",
  ],
  [
    "a prototype",
    JSON.parse('{"agents": {"__proto__": {"memory": "x"}}}'),
    "agents.__proto__: this key is not allowed",
  ],
  ["a list", [], ": Invalid input: expected object, received array"],
];

describe("a configuration with a mistake", () => {
  for (const [name, config, problem] of MISTAKES) {
    it(`is refused: ${name}`, async () => {
      const error = await failure(load(config));
      expect(error.code).toBe("E_CONFIG");
      expect(problemsOf(error)).toEqual([problem]);
    });
  }

  it("is refused with all its problems at once, of the schema and of the plugins", async () => {
    const all = {
      version: 2,
      cut: { attempts: 0, hold: 1 },
      codecs: [{ use: "zst" }, { use: "zstd", level: "x" }],
      preset: "x",
      state_root: "${NOPE}",
    };
    const error = await failure(load(all));
    const paths = problemsOf(error).map((line) => line.split(": ")[0]);
    expect(new Set(paths)).toEqual(
      new Set(["state_root", "version", "cut.attempts", "cut.hold", "codecs[0].use", "codecs[1].level", "preset"]),
    );
    expect(problemsOf(error)).toHaveLength(7);
    expect(error.message.split("\n")).toHaveLength(7);
    expect(error.message).toContain("(inline): cut.attempts: ");
  });

  it("never shows a secret that stands where a reference belongs", async () => {
    const config = { stores: { primary: { use: "vault", token: "hunter2", region: "eu" } } };
    const error = await failure(load(config));
    expect(problemsOf(error)).toEqual([
      "stores.primary.token: a secret is written as a reference, { env: NAME } or { file: path }, never as the value itself",
    ]);
    expect(JSON.stringify([error.message, error.context, error.hint])).not.toContain("hunter2");
    for (const token of [{ env: "TOKEN" }, { file: "./token" }]) {
      await load({ stores: { primary: { use: "vault", token } } });
    }
  });

  it("tells of a preset that the plugins cannot fill", async () => {
    const broken = {
      name: "broken",
      api: 1,
      presets: { odd: { description: "", sources: [{ use: "sqlite", inclde: [] }, { use: "x" }] } },
    };
    const error = await failure(load({ preset: "odd" }, { plugins: [fakePlugin(), broken] }));
    expect(problemsOf(error)).toEqual([
      'preset: its sources[0]: inclde: unknown key; did you mean "include"?',
      'preset: its sources[1]: unknown source "x"; known are memdir, sqlite',
    ]);
  });
});

describe("a configuration file", () => {
  const yaml = `
version: 1
state_root: \${ROOT:-./state}
agents:
  "*": { memory: "./agents/{agent}" }
  ana: { memory: /srv/ana, preset: home }
cut: { attempts: 7 }
`;
  const value = {
    version: 1,
    state_root: "${ROOT:-./state}",
    agents: { "*": { memory: "./agents/{agent}" }, ana: { memory: "/srv/ana", preset: "home" } },
    cut: { attempts: 7 },
  };

  it("means the same as YAML, as JSON, as a module and in a program", async () => {
    await using dir = await tempDir();
    const texts: Record<string, string> = {
      "a.yaml": yaml,
      "b.yml": yaml,
      "c.json": `\uFEFF${JSON.stringify(value)}`,
      "d.mjs": `export default ${JSON.stringify(value)};`,
    };
    const inline = await load(value, { cwd: dir.path });
    for (const [name, text] of Object.entries(texts)) {
      await writeFile(dir.join(name), text);
      const fromFile = await load({ file: name }, { cwd: dir.path });
      expect(fromFile.config, name).toEqual(inline.config);
      expect([fromFile.file, fromFile.baseDir]).toEqual([dir.join(name), dir.path]);
    }
    expect(inline.config.state_root).toBe(dir.join("state"));
    expect(inline.config.cut).toEqual({ attempts: 7, hold_timeout_ms: 250, allow: "instant" });
  });

  it("has its paths relative to its own folder", async () => {
    await using dir = await tempDir();
    await writeFile(dir.join("k.yaml"), yaml);
    const { config, baseDir } = await load({ file: dir.join("k.yaml") }, { cwd: "/elsewhere" });
    expect([config.state_root, baseDir]).toEqual([dir.join("state"), dir.path]);
    const { config: other } = await load({ file: dir.join("k.yaml") }, { env: { ROOT: "/r" } });
    expect(other.state_root).toBe("/r");
  });

  it("is told where in the file a problem is", async () => {
    await using dir = await tempDir();
    const wrong = 'cut:\n  attempts: 0\nagents:\n  ana: { memroy: "x" }\n';
    await writeFile(dir.join("k.yaml"), wrong);
    const error = await failure(load({ file: dir.join("k.yaml") }));
    expect(error.context["problems"]).toMatchObject([
      { path: "cut.attempts", line: 2, column: 13 },
      { path: "agents.ana.memroy", line: 4, column: 18 },
    ]);
    expect(error.message).toContain(`${dir.join("k.yaml")}: cut.attempts: `);
    expect(error.message).toContain("(line 2, column 13)");
    await writeFile(dir.join("k.json"), '{\n  "cut": { "attempts": 0 }\n}');
    const json = await failure(load({ file: dir.join("k.json") }));
    expect(json.context["problems"]).toMatchObject([{ path: "cut.attempts", line: 2, column: 24 }]);
  });

  const SYNTAX: readonly (readonly [string, string, RegExp, number | undefined])[] = [
    ["broken.yaml", "cut: { attempts: 3\nlock: 4\n", /flow/i, 2],
    ["twice.yaml", "cut: {}\ncut: {}\n", /unique/i, 2],
    ["two.yaml", "cut: {}\n---\ncut: {}\n", /multiple documents/i, 2],
    ["broken.json", '{\n  "token": hunter2 }', /is not valid JSON/, 2],
    ["short.json", '{\n  "cut": {', /is not valid JSON/, 2],
    ["twice.json", '{\n "cut": {},\n "cut": {} }', /unique/i, 3],
    ["throws.mjs", "throw new Error('on purpose');", /cannot be imported: on purpose/, undefined],
    ["empty.mjs", "export const config = {};", /has no default export/, undefined],
    ["config.toml", "x = 1", /ends in \.yaml, \.yml, \.json or \.mjs/, undefined],
  ];
  for (const [name, text, message, line] of SYNTAX) {
    it(`is refused when it is malformed: ${name}`, async () => {
      await using dir = await tempDir();
      await writeFile(dir.join(name), text);
      const error = await failure(load({ file: name }, { cwd: dir.path }));
      expect(error.code).toBe("E_CONFIG");
      expect(error.message).toMatch(message);
      expect(error.message).not.toContain("hunter2");
      const [problem] = error.context["problems"] as readonly { file: string; line?: number }[];
      expect([problem?.file, problem?.line]).toEqual([dir.join(name), line]);
    });
  }

  it("is refused when there is none", async () => {
    const error = await failure(load({ file: "/nowhere/keepsake.config.yaml" }));
    expect([error.code, error.message]).toEqual(["E_CONFIG", "/nowhere/keepsake.config.yaml: cannot be read (ENOENT)"]);
  });

  it("may be empty", async () => {
    await using dir = await tempDir();
    await writeFile(dir.join("k.yaml"), "# nothing yet\n");
    expect((await load({ file: dir.join("k.yaml") })).config.preset).toBe("directory");
  });

  it("is found by $KEEPSAKE_CONFIG, then by its name, in order", async () => {
    await using dir = await tempDir();
    expect(await findConfigFile(dir.path, {})).toBeUndefined();
    for (const name of ["mjs", "json", "yml", "yaml"].map((ending) => `keepsake.config.${ending}`)) {
      await writeFile(dir.join(name), "");
      expect(await findConfigFile(dir.path, { KEEPSAKE_CONFIG: "" })).toBe(dir.join(name));
    }
    expect(await findConfigFile(dir.path, { KEEPSAKE_CONFIG: "other.yaml" })).toBe(dir.join("other.yaml"));
  });
});

describe("the state root", () => {
  const rootOf = async (source: unknown, more: Partial<ConfigRequest> = {}): Promise<string> =>
    (await load(source, more)).config.state_root;

  it("is what the program says, else the configuration, else beside it, else of the user", async () => {
    expect(await rootOf({ state_root: "a" }, { stateRoot: "b" })).toBe("/work-dir/b");
    expect(await rootOf({ state_root: "a" })).toBe("/work-dir/a");
    expect(await rootOf({ state_root: "~/a" })).toBe("/home/ana/a");
    expect(await rootOf({})).toBe("/work-dir/state");
    expect(await rootOf(undefined)).toBe("/home/ana/.local/share/keepsake");
    expect(await rootOf(undefined, { env: { XDG_DATA_HOME: "/data" } })).toBe("/data/keepsake");
    expect(await rootOf(undefined, { env: { XDG_DATA_HOME: "data", HOME: "/h" } })).toBe("/h/.local/share/keepsake");
    expect(await rootOf(undefined, { env: { KEEPSAKE_ROOT: "/k", XDG_DATA_HOME: "/data" } })).toBe("/k");
  });

  it("is where the store is when no store is named", async () => {
    const { config } = await load({ state_root: "a" });
    expect(config.stores).toEqual({ primary: { use: "local-fs", root: "/work-dir/a" } });
  });
});
