import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { Bench } from "./support/keepsake.js";
import { addFact, factsIn, makeMemory, makeRepository } from "./support/memory.js";

const bench = new Bench();
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const STORE = "data/keepsake/tenants/default/snapshots";

/** Takes a snapshot of `<name>` as the agent `<name>`, and returns its record. */
async function take(name: string, ...more: string[]): Promise<Record<string, unknown> & { id: string }> {
  const ran = await bench.run(["snapshot", "--agent", name, "--memory", name, "--json", ...more]);
  expect(ran.stderr).toBe("");
  expect(ran.code).toBe(0);
  return ran.json() as Record<string, unknown> & { id: string };
}

async function listed(name: string): Promise<{ id: string; label?: string }[]> {
  return (await bench.run(["list", "--agent", name, "--json"])).json()["snapshots"] as { id: string }[];
}

describe("a first run", () => {
  beforeAll(async () => {
    await makeMemory(bench, "ana");
    await makeRepository(bench.path("ana"));
  });

  it("needs no configuration: it prints the record, and the bundle lies in the default root", async () => {
    const record = await take("ana", "--label", "first", "--created-by", "a test");
    expect(record).toMatchObject({
      agent_id: "ana",
      tenant: "default",
      label: "first",
      created_by: "a test",
      encrypted: false,
      complete: true,
      schema_versions: { "facts.db": 7 },
      bundle_path: `tenants/default/snapshots/ana/${record.id}.tar.zst`,
    });
    expect(record.id).toMatch(ID);
    for (const key of ["created_at_ms", "bundle_size_bytes", "artifact_count"])
      expect(record[key]).toBeTypeOf("number");
    for (const key of ["bundle_sha256", "file_sha256"]) expect(record[key]).toMatch(/^[0-9a-f]{64}$/);
    expect((await readdir(bench.path(STORE, "ana"))).sort()).toEqual(
      [".json", ".tar.zst", ".tar.zst.sha256"].map((suffix) => record.id + suffix),
    );
  });

  it("for people is a summary; with --quiet the id alone; global options stand before or after the command", async () => {
    const human = await bench.run(["snapshot", "--agent", "ana", "--memory", "./ana"]);
    expect(human.code).toBe(0);
    expect(human.stdout).toMatch(/^snapshot +[0-9a-f-]{36}$/m);
    expect(human.stdout).toMatch(/^moment +instant /m);
    expect(human.stdout).toMatch(/^git HEAD +[0-9a-f]{12} First notes$/m);
    expect(human.stdout).not.toContain("\u001b");
    const quiet = await bench.run(["--quiet", "--root", "other", "snapshot", "--agent", "ana", "--memory", "ana"]);
    expect(quiet.stdout.trim()).toMatch(ID);
    expect(quiet.stderr).toBe("");
    const after = await bench.run(["list", "--agent", "ana", "--quiet", "--root", "other"]);
    expect(after.stdout).toBe(quiet.stdout);
    const byVariable = await bench.run(["list", "--agent", "ana", "--quiet"], {
      env: { KEEPSAKE_ROOT: bench.path("other") },
    });
    expect(byVariable.stdout).toBe(quiet.stdout);
  });

  it("is listed newest first, of one agent, of all, of one tenant", async () => {
    const mine = await listed("ana");
    expect(mine.map((record) => record.id)).toEqual(
      mine
        .map((record) => record.id)
        .sort()
        .reverse(),
    );
    expect(mine.at(-1)?.label).toBe("first");
    await bench.run(["snapshot", "--agent", "ana", "--memory", "ana", "--tenant", "acme"]);
    const table = await bench.run(["list", "--all"]);
    expect(table.stdout).toMatch(/^ID +TENANT +AGENT +CREATED +AGE +SIZE +ARTIFACTS/);
    expect(table.stdout).toMatch(/ acme +ana /);
    expect((await bench.run(["list", "--all", "--tenant", "acme", "--quiet"])).stdout.trim()).toMatch(ID);
    expect((await bench.run(["list", "--agent", "nobody"])).stdout).toBe("No snapshots.\n");
    expect((await bench.run(["list", "--agent", "nobody", "--json"])).json()).toEqual({ snapshots: [] });
  });

  it("is shown as its manifest", async () => {
    const manifest = (await bench.run(["show", "--agent", "ana", "latest", "--json"])).json();
    expect(manifest).toMatchObject({ manifest_version: 1, bundle_format: "keepsake-bundle-v1", agent_id: "ana" });
    expect(manifest["git"]).toMatchObject({ head_subject: "First notes" });
    const paths = (manifest["artifacts"] as { path_in_bundle: string }[]).map((artifact) => artifact.path_in_bundle);
    expect(paths).toEqual(expect.arrayContaining(["memory_files/notes.md", "memory_files/deep/er/log.jsonl"]));
    const human = await bench.run(["show", "--agent", "ana", "latest~1"]);
    expect(human.stdout).toContain("memory_files/notes.md");
    expect((await bench.run(["show", "--agent", "ana", String(manifest["snapshot_id"]).slice(0, 20)])).code).toBe(0);
  });

  it("does not mind a reader that goes away early", async () => {
    const ran = await bench.run(["list", "--all", "--json"]);
    expect(ran.code).toBe(0);
    const child = bench.start(["list", "--all", "--json"]);
    child.stdout?.destroy();
    const code = await new Promise((resolve) => child.on("exit", resolve));
    expect(code).toBe(0);
  });
});

describe("verify", () => {
  it("says of each check how it went, and ends with 4 when one failed", async () => {
    await makeMemory(bench, "vera");
    const { id } = await take("vera");
    const good = await bench.run(["verify", "--agent", "vera", id, "--json"]);
    expect(good).toMatchObject({ code: 0, stderr: "" });
    expect(good.json()).toMatchObject({ ok: true, age_protected: false, schema_versions: { "facts.db": 7 } });
    for (const check of good.json()["checks"] as object[]) expect(check).toMatchObject({ status: "ok" });

    const bundle = bench.path(STORE, "vera", `${id}.tar.zst`);
    for (const suffix of ["", ".sha256"]) await copyFile(bundle + suffix, bench.path(`copy.tar.zst${suffix}`));
    expect((await bench.run(["verify", "--bundle", "copy.tar.zst"])).stdout).toContain("All checks passed.");

    const bytes = await readFile(bundle);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await rm(bundle);
    await writeFile(bundle, bytes);
    const bad = await bench.run(["verify", "--agent", "vera", id, "--json"]);
    expect(bad).toMatchObject({ code: 4, stderr: "" });
    expect(bad.json()["ok"]).toBe(false);
    const human = await bench.run(["verify", "--agent", "vera", id]);
    expect(human.code).toBe(4);
    expect(human.stdout).toMatch(/^file_digest +FAILED/m);
    expect((await bench.run(["restore", "--agent", "vera", id, "--memory", "vera", "--yes"])).code).toBe(4);
  });
});

describe("restore", () => {
  beforeAll(async () => {
    await makeMemory(bench, "rita");
    await take("rita");
    addFact(bench, "rita", "the sky is green");
    await bench.write({ "rita/notes.md": "spoilt\n", "rita/new.md": "new\n" });
  });

  it("shows what it would do, and does nothing", async () => {
    const dry = await bench.run(["restore", "--agent", "rita", "latest", "--memory", "rita", "--dry-run", "--json"]);
    expect(dry).toMatchObject({ code: 0, stderr: "" });
    expect(dry.json()).toMatchObject({ agent_id: "rita", dry_run: true, workers_restarted: false });
    const plan = dry.json()["plan"] as object[];
    expect(plan).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ source: "memory_files", action: "replace", path: "notes.md" }),
        expect.objectContaining({ source: "memory_files", action: "delete", path: "new.md" }),
      ]),
    );
    expect(dry.json()["difference"]).toContainEqual(
      expect.objectContaining({
        id: "sqlite",
        items: [{ path: "facts.db:fact", change: "changed", details: { rows_removed: 1 } }],
      }),
    );
    const human = await bench.run(["restore", "--agent", "rita", "latest", "--memory", "rita", "--dry-run"]);
    expect(human.stdout).toContain("- memory_files/new.md");
    expect(human.stdout).toContain("rows removed 1");
    expect(await readFile(bench.path("rita/notes.md"), "utf8")).toBe("spoilt\n");
  });

  it("asks, and where nobody can be asked needs --yes", async () => {
    const ran = await bench.run(["restore", "--agent", "rita", "latest", "--memory", "rita", "--json"]);
    expect(ran).toMatchObject({ code: 5, stdout: "" });
    expect(ran.error()).toMatchObject({ code: "E_CONFIRMATION" });
    expect(ran.error().hint).toContain("--yes");
    expect(await readFile(bench.path("rita/notes.md"), "utf8")).toBe("spoilt\n");
    expect(await listed("rita")).toHaveLength(1);
  });

  it("of a part says which, and refuses what means nothing", async () => {
    const args = ["restore", "--agent", "rita", "latest", "--memory", "rita", "--dry-run", "--json"];
    const dry = await bench.run([...args, "--only", "new.md", "--only", "facts.db"]);
    expect(dry.json()).toMatchObject({
      only: ["new.md", "facts.db"],
      plan: [
        { source: "sqlite", action: "replace", path: "facts.db" },
        { source: "memory_files", action: "delete", path: "new.md" },
      ],
      sqlite_restored_dbs: ["facts.db"],
      state_files_restored: [],
    });
    const none = await bench.run([...args, "--only", "note.md"]);
    expect(none).toMatchObject({ code: 10, stdout: "" });
    expect(none.error()).toMatchObject({ code: "E_NOT_FOUND", hint: expect.stringContaining("notes.md") as string });
  });

  it("puts everything back, and can be undone", async () => {
    const [taken] = await listed("rita");
    const ran = await bench.run(["restore", "--agent", "rita", "latest", "--memory", "rita", "--yes", "--json"]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const report = ran.json();
    expect(report).toMatchObject({ from: taken?.id, dry_run: false, sqlite_restored_dbs: ["facts.db"] });
    expect(report["pre_snapshot"]).toMatch(ID);
    expect(await readFile(bench.path("rita/notes.md"), "utf8")).toBe("# Notes\n\nfirst line\n");
    expect(factsIn(bench, "rita")).toEqual(["water is wet", "fire is hot"]);
    expect(await readdir(bench.path("rita"))).not.toContain("new.md");

    const undo = String(report["pre_snapshot"]);
    expect((await bench.run(["restore", "--agent", "rita", undo, "--memory", "rita", "--yes"])).code).toBe(0);
    expect(await readFile(bench.path("rita/new.md"), "utf8")).toBe("new\n");
    expect(factsIn(bench, "rita")).toHaveLength(3);
  });

  it("takes no snapshot first when told so", async () => {
    const before = await listed("rita");
    const args = ["restore", "--agent", "rita", "latest", "--memory", "rita", "--yes", "--no-pre-snapshot", "--json"];
    const ran = await bench.run(args);
    expect(ran.code).toBe(0);
    expect(ran.json()).not.toHaveProperty("pre_snapshot");
    expect(await listed("rita")).toHaveLength(before.length);
  });

  it("into an empty or a missing directory destroys nothing, and so is not asked about", async () => {
    await mkdir(bench.path("empty"));
    for (const memory of ["empty", "missing/below"]) {
      const ran = await bench.run(["restore", "--agent", "rita", "latest~1", "--memory", memory]);
      expect(ran.stderr).toBe("");
      expect(ran.code).toBe(0);
      expect(factsIn(bench, memory).length).toBeGreaterThan(1);
    }
  });

  it("refuses another agent's bundle", async () => {
    const [newest] = await listed("rita");
    const from = bench.path(STORE, "rita", `${newest?.id ?? ""}.tar.zst`);
    const ran = await bench.run(["restore", "--agent", "bob", "--from", from, "--memory", "bobs", "--yes", "--json"]);
    expect(ran.code).toBe(5);
    expect(ran.error().code).toBe("E_WRONG_AGENT");
  });
});

describe("diff, export and import", () => {
  beforeAll(async () => {
    await makeMemory(bench, "dora");
    await take("dora");
    addFact(bench, "dora", "ice is cold");
    await bench.write({ "dora/notes.md": "# Notes\n\nfirst line\nsecond line\n", "dora/more.md": "x\n" });
    await take("dora");
  });

  it("diff says what changed, by source, in snake_case", async () => {
    const ran = await bench.run(["diff", "--agent", "dora", "latest~1", "latest", "--json"]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const sources = ran.json()["sources"] as { id: string; items: { path: string; change: string }[] }[];
    const files = sources.find((source) => source.id === "memory_files");
    expect(files?.items.map(({ path, change }) => `${change} ${path}`).sort()).toEqual([
      "added more.md",
      "changed notes.md",
    ]);
    expect(ran.stdout).not.toMatch(/"[a-z]+[A-Z]\w*":/);
    const human = await bench.run(["diff", "--agent", "dora", "latest~1", "latest"]);
    expect(human.stdout).toContain("+ more.md");
    expect((await bench.run(["diff", "--agent", "dora", "latest", "latest"])).stdout).toContain("no difference");
  });

  it("export copies out and never overwrites; import takes it into another store", async () => {
    await mkdir(bench.path("out"));
    const ran = await bench.run(["export", "--agent", "dora", "latest", "--to", "out", "--json"]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const report = ran.json() as { id: string; bundle: string; sha256_file: string; file_sha256: string };
    expect(await readFile(report.sha256_file, "utf8")).toBe(`${report.file_sha256}\n`);
    expect(await bench.run(["export", "--agent", "dora", "latest", "--to", "out"])).toMatchObject({ code: 10 });

    const into = await bench.run([
      "import",
      "--agent",
      "dora",
      "--from",
      report.bundle,
      "--root",
      "elsewhere",
      "--json",
    ]);
    expect(into).toMatchObject({ code: 0, stderr: "" });
    expect(into.json()).toMatchObject({ id: report.id, agent_id: "dora", complete: true });
    const again = await bench.run(["import", "--agent", "dora", "--from", report.bundle, "--root", "elsewhere"]);
    expect(again.code).toBe(10);
    const other = await bench.run(["import", "--agent", "bob", "--from", report.bundle, "--json"]);
    expect(other.code).toBe(5);
    expect(other.error().code).toBe("E_WRONG_AGENT");
    expect((await bench.run(["verify", "--bundle", "nowhere.tar.zst"])).code).toBe(10);
  });
});

describe("delete and prune", () => {
  beforeAll(async () => {
    await makeMemory(bench, "paul");
    for (const label of ["one", "two", "three", "four"]) await take("paul", "--label", label);
  });

  it("delete needs --yes where nobody can be asked, and removes the one that was named", async () => {
    const [, , , oldest] = await listed("paul");
    const asked = await bench.run(["delete", "--agent", "paul", "latest~3", "--json"]);
    expect(asked.code).toBe(5);
    expect(asked.error().code).toBe("E_CONFIRMATION");
    expect(await listed("paul")).toHaveLength(4);
    const ran = await bench.run(["delete", "--agent", "paul", "latest~3", "--yes", "--json"]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.json()).toEqual({ deleted: oldest?.id });
    expect(await listed("paul")).toHaveLength(3);
  });

  it("prune keeps what a rule keeps", async () => {
    const args = ["prune", "--agent", "paul", "--keep-last", "2", "--json"];
    const [four, three, two] = await listed("paul");
    const dry = await bench.run([...args, "--dry-run"]);
    expect(dry).toMatchObject({ code: 0, stderr: "" });
    expect(dry.json()).toMatchObject({ deleted: [two?.id] });
    expect((dry.json()["kept"] as string[]).sort()).toEqual([three?.id, four?.id]);
    expect(Object.keys(dry.json()["reasons"] as object).sort()).toEqual([two?.id, three?.id, four?.id]);
    const refused = await bench.run(args);
    expect(refused.code).toBe(5);
    expect(await listed("paul")).toHaveLength(3);
    expect(await bench.run([...args, "--yes"])).toMatchObject({ code: 0, stderr: "" });
    expect(await listed("paul")).toHaveLength(2);
    const nothingLeft = await bench.run(args);
    expect(nothingLeft).toMatchObject({ code: 0, stderr: "" });
    expect(nothingLeft.json()["deleted"]).toEqual([]);
  });

  it("never take the last one away", async () => {
    expect((await bench.run(["delete", "--agent", "paul", "latest~1", "--yes"])).code).toBe(0);
    const last = await bench.run(["delete", "--agent", "paul", "latest", "--yes", "--json"]);
    expect(last.code).toBe(5);
    expect(last.error().code).toBe("E_LAST_SNAPSHOT");
    const unknown = await bench.run(["delete", "--agent", "paul", "latest~7", "--yes", "--json"]);
    expect(unknown.code).toBe(10);
    expect(unknown.error().code).toBe("E_NOT_FOUND");
  });
});
