import { describe, expect, it } from "vitest";
import { Bench } from "./support/keepsake.js";
import { makeMemory } from "./support/memory.js";

const bench = new Bench();

describe("recover, doctor, plugins", () => {
  it("recover says that there is nothing to recover", async () => {
    expect((await bench.run(["recover", "--json"])).json()).toEqual({ restores: [], swept: [] });
    expect((await bench.run(["recover"])).stdout).toBe("Nothing to recover.\n");
  });

  it("doctor finds nothing wrong with a healthy house", async () => {
    await makeMemory(bench, "ana");
    expect((await bench.run(["snapshot", "--agent", "ana", "--memory", "ana"])).code).toBe(0);
    const ran = await bench.run(["doctor", "--json"]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.json()["ok"]).toBe(true);
    const statuses = (ran.json()["findings"] as { status: string }[]).map((finding) => finding.status);
    expect(statuses).not.toContain("problem");
    expect((await bench.run(["doctor", "--reindex"])).code).toBe(0);
  });

  it("doctor makes a finding of a configuration that cannot be loaded", async () => {
    await bench.write({ "bad.yaml": "version: 1\nagent: x\n" });
    const ran = await bench.run(["doctor", "--config", "bad.yaml", "--json"]);
    expect(ran).toMatchObject({ code: 2, stderr: "" });
    expect(ran.json()).toMatchObject({ ok: false, findings: [{ name: "configuration", status: "problem" }] });
  });

  it("plugins names what is loaded, and from where", async () => {
    const ran = await bench.run(["plugins", "--json"]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const plugins = ran.json()["plugins"] as {
      name: string;
      origin: string;
      providers: { kind: string; name: string }[];
    }[];
    const provided = plugins.flatMap((plugin) => plugin.providers.map(({ kind, name }) => `${kind} ${name}`));
    for (const expected of [
      "source sqlite",
      "source git",
      "source memdir",
      "codec zstd",
      "codec age",
      "store local-fs",
    ]) {
      expect(provided).toContain(expected);
    }
    for (const plugin of plugins) expect(plugin.origin).not.toBe("");
    expect((await bench.run(["plugins"])).stdout).toContain("store local-fs");
  });
});

describe("config", () => {
  it("check lists every problem at once", async () => {
    await bench.write({ "wrong.yaml": "version: 1\nagent: x\ncut: { attempts: many }\npreset: nonsense\n" });
    const ran = await bench.run(["config", "check", "--config", "wrong.yaml", "--json"]);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.error().code).toBe("E_CONFIG");
    const { problems } = ran.error().context as { problems: { path: string }[] };
    expect(problems.map((problem) => problem.path)).toEqual(
      expect.arrayContaining(["agent", "cut.attempts", "preset"]),
    );
    const human = await bench.run(["config", "check", "--config", "wrong.yaml"]);
    expect(human.stderr).toMatch(/^error: \d+ problems \[E_CONFIG\]\n( {2}.*wrong\.yaml: .*\n){3,}/);
  });

  it("check is content without a file, and is not with one that is not there", async () => {
    expect((await bench.run(["config", "check", "--json"])).json()).toMatchObject({ ok: true, file: null });
    expect((await bench.run(["config", "check", "--config", "nowhere.yaml"])).code).toBe(2);
    expect((await bench.run(["config", "check"], { env: { KEEPSAKE_CONFIG: "nowhere.yaml" } })).code).toBe(2);
  });

  it("schema is a JSON Schema", async () => {
    const schema = (await bench.run(["config", "schema"])).json();
    expect(schema["$schema"]).toContain("json-schema.org");
    expect(Object.keys(schema["properties"] as object)).toEqual(
      expect.arrayContaining(["agents", "retention", "stores"]),
    );
  });
});
