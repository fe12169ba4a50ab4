import { mkdir, readFile, writeFile } from "node:fs/promises";
import { writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { keepsakeCase } from "./support/keepsake-case.js";
import { execute } from "./support/execute.js";

const AGENT = { agent: "ana" };

/** A memory with a note and two state values beside it. */
async function scene() {
  const made = await keepsakeCase({
    state: [{ use: "json-file", keys: { cursor: "./values/cursor.json", run: "./values/run.json" } }],
  });
  await mkdir(made.temp.join("values"));
  const value = (key: string): string => made.temp.join("values", `${key}.json`);
  const write = (note: string, cursor: string, run: string): Promise<unknown> =>
    Promise.all([
      writeTree(made.memory, { "note.md": note }),
      writeFile(value("cursor"), cursor),
      writeFile(value("run"), run),
    ]);
  const look = async (): Promise<string[]> =>
    Promise.all([`${made.memory}/note.md`, value("cursor"), value("run")].map((file) => readFile(file, "utf8")));
  return { ...made, write, look, [Symbol.asyncDispose]: () => made[Symbol.asyncDispose]() };
}

describe.each([
  ["empty, as a crash leaves it", "", "E_STATE_DAMAGED", "damaged"],
  ["cut", '{"at": 1', "E_STATE_DAMAGED", "damaged"],
  ["with a number that no double is", "[1e400]", "E_UNSUPPORTED", "unreadable"],
])("a state file that is %s", (_how, text, code, reason) => {
  it("keeps no memory from being saved: it is named as not captured", async () => {
    await using at = await scene();
    await at.write("one", text, "2");
    const { record, manifest } = await at.keepsake.snapshot({ ...AGENT, allowPartial: true });
    expect(record.complete).toBe(false);
    expect(manifest?.omitted).toMatchObject([{ source: "state", path: "cursor.json", reason, code }]);
    expect(manifest?.sources.find(({ id }) => id === "state")).toMatchObject({
      status: "partial",
      artifacts: 1,
      omitted: 1,
    });
    // What the snapshot had seen and does not hold is left as it is by its restore.
    await at.write("two", "7", "8");
    const { notices, plan } = await at.keepsake.restore({ ...AGENT, ref: record.id });
    expect(await at.look()).toEqual(["one", "7", "2\n"]);
    expect(notices.join()).toContain("no state value cursor");
    expect(plan.map(({ source, path }) => `${source} ${path}`)).toEqual(["memory_files note.md", "state run"]);
  });

  it("keeps none from being restored: it is replaced, and left alone by a restore of other things", async () => {
    await using at = await scene();
    await at.write("one", "1", "2");
    const { record } = await at.keepsake.snapshot(AGENT);
    await at.write("two", text, "8");
    const dry = await at.keepsake.restore({ ...AGENT, ref: record.id, dryRun: true });
    expect(dry.plan).toContainEqual({ source: "state", action: "replace", path: "cursor" });
    await at.keepsake.restore({ ...AGENT, ref: record.id, only: ["note.md"] });
    expect(await at.look()).toEqual(["one", text, "8"]);
    await at.keepsake.restore({ ...AGENT, ref: record.id, only: ["state/run"] });
    expect(await at.look()).toEqual(["one", text, "2\n"]);
    const { notices } = await at.keepsake.restore({ ...AGENT, ref: record.id });
    expect(await at.look()).toEqual(["one", "1\n", "2\n"]);
    expect(notices.join()).toContain("cursor cannot be read");
  });

  it("is as it was when the restore fails", async () => {
    await using at = await scene();
    await at.write("one", "1", "2");
    const { record } = await at.keepsake.snapshot(AGENT);
    await at.write("two", text, "8");
    // The last value cannot be put in place: a folder that is not empty has its name.
    await execute("rm", [at.temp.join("values/run.json")]);
    await writeTree(at.temp.path, { "values/run.json/in-the-way": "" });
    await expect(at.keepsake.restore({ ...AGENT, ref: record.id, preSnapshot: false })).rejects.toThrow();
    expect(await readFile(at.temp.join("memory/note.md"), "utf8")).toBe("two");
  });
});
