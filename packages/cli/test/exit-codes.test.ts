import { once } from "node:events";
import { readdir, rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { createHash, randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { Bench, ended } from "./support/keepsake.js";
import { makeMemory } from "./support/memory.js";

const bench = new Bench();

beforeAll(() => makeMemory(bench, "ana"));

const core = new URL("../../core/dist/index.js", import.meta.url).href;

/** A codec that changes nothing, and ends as it is told. */
const endingWith = (end: string): string => `
import { codecProvider, definePlugin } from ${JSON.stringify(core)};
const codec = {
  id: "plain",
  suffix: ".plain",
  encode: (input) => input,
  decode: (input) => input,
  [Symbol.asyncDispose]: async () => { ${end} },
};
export default definePlugin({ name: "plain", api: 1, providers: [codecProvider("plain", { create: () => codec })] });
`;

describe("exit codes", () => {
  it("13: a plugin that cannot be closed is named with its reason, after what was done is said", async () => {
    await bench.write({
      "ending/plugin.mjs": endingWith("throw new Error('the disposal broke')"),
      "ending/keepsake.yaml": "plugins: [./plugin.mjs]\ncodecs: [{ use: plain }]\n",
    });
    const config = ["--config", "ending/keepsake.yaml", "--agent", "ana"];
    const taken = await bench.run(["snapshot", ...config, "--memory", "ana", "--json"]);
    expect(taken.code).toBe(13);
    expect(taken.json()).toMatchObject({ complete: true });
    expect(taken.error()).toMatchObject({
      code: "E_PLUGIN_FAILED",
      message: expect.stringContaining("the disposal broke") as string,
    });
    const shown = await bench.run(["show", String(taken.json()["id"]), ...config, "--json"]);
    expect([shown.code, shown.json()]).toMatchObject([13, { agent_id: "ana" }]);
  });

  it("2: malformed names, references and recipients", async () => {
    for (const [args, code] of [
      [["snapshot", "--agent", "No Good", "--memory", "ana"], "E_INVALID_ID"],
      [["list", "--agent", "a", "--tenant", "../x"], "E_INVALID_ID"],
      [["snapshot", "--agent", "ana", "--memory", "ana", "--encrypt", "age1nonsense"], "E_RECIPIENT"],
    ] as const) {
      const ran = await bench.run([...args, "--json"]);
      expect(ran).toMatchObject({ code: 2, stdout: "" });
      expect(ran.error().code).toBe(code);
    }
  });

  it("3: a snapshot that lacks something is taken, and says what it lacks", async () => {
    await makeMemory(bench, "holey");
    await bench.write({ "holey/broken.db": Buffer.concat([Buffer.from("SQLite format 3\0"), randomBytes(8_000)]) });
    const ran = await bench.run(["snapshot", "--agent", "holey", "--memory", "holey", "--json"]);
    expect(ran.code).toBe(3);
    expect(ran.json()).toMatchObject({ complete: false });
    expect(ran.error()).toMatchObject({
      code: "E_INCOMPLETE",
      context: { snapshot_id: ran.json()["id"], missing: [{ source: "sqlite", path: "broken.db" }] },
    });
    const human = await bench.run(["snapshot", "--agent", "holey", "--memory", "holey"]);
    expect(human.code).toBe(3);
    expect(human.stderr).toMatch(/incomplete[^\n]*\n {2}sqlite\/broken\.db: /);
    expect((await bench.run(["list", "--agent", "holey"])).stdout).toContain("incomplete");
  });

  it("3: a record that cannot be read is named", async () => {
    await makeMemory(bench, "rec");
    expect((await bench.run(["snapshot", "--agent", "rec", "--memory", "rec"])).code).toBe(0);
    await bench.write({
      "data/keepsake/tenants/default/snapshots/rec/01998f3e-0000-7000-8000-000000000001.json": "no json",
    });
    const ran = await bench.run(["list", "--agent", "rec", "--json"]);
    expect(ran.code).toBe(3);
    expect(ran.json()["snapshots"]).toHaveLength(1);
    expect(ran.json()["unreadable"]).toMatchObject([{ code: "E_RECORD" }]);
    const human = await bench.run(["list", "--agent", "rec"]);
    expect(human.stderr).toContain("01998f3e-0000-7000-8000-000000000001.json");
  });

  it("6: a bundle in a format that nobody here reads", async () => {
    await bench.write({
      "x.tar.lzma": "x",
      "x.tar.lzma.sha256": `${createHash("sha256").update("x").digest("hex")}\n`,
    });
    const ran = await bench.run(["restore", "--agent", "ana", "--from", "x.tar.lzma", "--memory", "new", "--json"]);
    expect(ran.code).toBe(6);
    expect(ran.error().code).toBe("E_UNSUPPORTED");
  });

  it("10: unknown agents, empty memories, snapshots that are not there", async () => {
    await bench.write({ "nothing/x": "" });
    await rm(bench.path("nothing/x"));
    for (const [args, code] of [
      [["snapshot", "--agent", "ana"], "E_UNKNOWN_AGENT"],
      [["snapshot", "--agent", "ana", "--memory", "nowhere"], "E_UNKNOWN_AGENT"],
      [["snapshot", "--agent", "ana", "--memory", "nothing"], "E_NOTHING_TO_CAPTURE"],
      [["show", "--agent", "ana", "latest"], "E_NOT_FOUND"],
    ] as const) {
      const ran = await bench.run([...args, "--json"]);
      expect(ran).toMatchObject({ code: 10, stdout: "" });
      expect(ran.error().code).toBe(code);
    }
  });

  it("12: no identity, or the wrong one; 0 with the right one", async () => {
    await makeMemory(bench, "eve");
    const right = (await bench.run(["keygen", "--output", "right.key"])).stdout.trim();
    await bench.run(["keygen", "--output", "wrong.key"]);
    await bench.write({ "broken.key": "not an identity\n" });
    const taken = await bench.run(["snapshot", "--agent", "eve", "--memory", "eve", "--encrypt", right, "--json"]);
    expect(taken.code).toBe(0);
    expect(taken.json()).toMatchObject({ encrypted: true, recipients_fingerprint: [right.slice(-8)] });
    const show = ["show", "--agent", "eve", "latest", "--json"];
    for (const [more, code] of [
      [[], "E_IDENTITY"],
      [["--identity", "wrong.key"], "E_DECRYPT"],
      [["--identity", "broken.key"], "E_IDENTITY"],
    ] as const) {
      const ran = await bench.run([...show, ...more]);
      expect(ran).toMatchObject({ code: 12, stdout: "" });
      expect(ran.error().code).toBe(code);
    }
    expect((await bench.run([...show, "--identity", "wrong.key", "--identity", "right.key"])).code).toBe(0);

    const verify = ["verify", "--agent", "eve", "latest", "--json"];
    const unopened = await bench.run(verify);
    expect(unopened.code).toBe(0);
    expect((unopened.json()["checks"] as { status: string }[]).map((check) => check.status)).toContain("not_checked");
    expect(unopened.json()).toMatchObject({ ok: true });
    for (const unusable of ["wrong.key", "broken.key", "no-such.key"]) {
      const ran = await bench.run([...verify, "--identity", unusable]);
      expect(ran.code).toBe(12);
      expect(ran.json()).toMatchObject({ ok: false });
    }
    const opened = await bench.run([...verify, "--identity", "right.key"]);
    expect(opened).toMatchObject({ code: 0, stderr: "" });
    expect(opened.stdout).not.toContain("not_checked");
    const restored = await bench.run([
      "restore",
      "--agent",
      "eve",
      "latest",
      "--memory",
      "eve2",
      "--identity",
      "right.key",
    ]);
    expect(restored.code).toBe(0);
  });

  it("13: a plugin that is not there", async () => {
    await bench.write({ "plugged.yaml": "version: 1\nplugins: [./nowhere.mjs]\n" });
    const ran = await bench.run(["list", "--all", "--config", "plugged.yaml", "--json"]);
    expect(ran).toMatchObject({ code: 13, stdout: "" });
    expect(ran.error().code).toBe("E_PLUGIN_LOAD");
  });
});

/** Waits until `present` says so; the test's own time limit ends it otherwise. */
async function until(present: () => Promise<boolean>): Promise<void> {
  while (!(await present())) await pause(5);
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
}

describe("SIGINT", () => {
  const big = (): Promise<boolean> =>
    filesBelow(bench.path("slow-root")).then((files) => files.some((file) => file.includes("/staging/")));

  beforeAll(async () => {
    const chunk = randomBytes(32 * 1024 * 1024);
    await bench.write(Object.fromEntries([...Array(10).keys()].map((n) => [`big/${String(n)}.bin`, chunk])));
  });

  const args = ["snapshot", "--agent", "big", "--memory", "big", "--root", "slow-root", "--json"];

  it("once aborts cleanly with 130, and leaves nothing visible", async () => {
    const child = bench.start(args);
    const end = ended(child);
    await until(big);
    child.kill("SIGINT");
    const ran = await end;
    expect(ran).toMatchObject({ code: 130, stdout: "" });
    expect(ran.error().code).toBe("ABORT_ERR");
    expect((await bench.run(["list", "--all", "--root", "slow-root", "--json"])).json()).toEqual({ snapshots: [] });
    const left = (await filesBelow(bench.path("slow-root"))).filter((file) => !file.includes(".lock/"));
    expect(left).toEqual([]);
  });

  it("11: while one snapshot runs, another of the same agent waits no longer than configured", async () => {
    await bench.write({ "patient.yaml": "version: 1\nlock: { timeout_secs: 0 }\n" });
    const child = bench.start(args);
    const end = ended(child);
    await until(big);
    child.kill("SIGSTOP");
    const second = await bench.run([...args, "--config", "patient.yaml"]);
    expect(second).toMatchObject({ code: 11, stdout: "" });
    expect(second.error().code).toBe("E_LOCKED");
    child.kill("SIGCONT");
    child.kill("SIGINT");
    expect((await end).code).toBe(130);
  });

  it("twice ends at once; what is left is invisible, and the next operation sweeps it", async () => {
    const child = bench.start(args);
    await until(big);
    child.kill("SIGSTOP");
    child.kill("SIGINT");
    child.kill("SIGTERM");
    child.kill("SIGCONT");
    const [code] = (await once(child, "exit")) as [number | null];
    expect(code).toBe(130);
    expect((await bench.run(["list", "--all", "--root", "slow-root", "--json"])).json()).toEqual({ snapshots: [] });
    expect((await bench.run(["recover", "--root", "slow-root"])).code).toBe(0);
    const left = (await filesBelow(bench.path("slow-root"))).filter((file) => !file.includes(".lock/"));
    expect(left).toEqual([]);
  });
});
