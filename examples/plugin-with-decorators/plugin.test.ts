import { execFileSync } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { openKeepsake } from "@keepsake/standard";
import { tempDir, writeTree } from "@keepsake/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const plugin = `${here}dist/plugin.js`;

beforeAll(() => {
  const tsc = createRequire(new URL("../../package.json", import.meta.url)).resolve("typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", here], { stdio: "pipe" });
});
afterAll(() => rm(`${here}dist`, { recursive: true, force: true }));

describe("a plugin with decorators", () => {
  it("is compiled by tsc, named by a configuration, and writes down what happened", async () => {
    await using dir = await tempDir();
    await writeTree(dir.path, {
      "ana/note.md": "hello\n",
      "keepsake.config.yaml": `plugins: [${JSON.stringify(plugin)}]
sources: [{ use: memdir }]
events: { publishers: [{ use: event-journal, file: ./log/events.jsonl }] }
`,
    });
    const clock = { now: () => 1_800_000_000_000 };
    {
      await using keepsake = await openKeepsake({ config: { file: dir.join("keepsake.config.yaml") }, clock });
      const agent = { agent: "ana", memory: dir.join("ana") };
      const { record } = await keepsake.snapshot(agent);
      await keepsake.restore({ ...agent, ref: record.id, preSnapshot: false });
    }
    const lines = (await readFile(dir.join("log/events.jsonl"), "utf8")).trimEnd().split("\n");
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.slice(0, 2)).toMatchObject([
      { type: "lifecycle", kind: "created", agent_id: "ana", tenant: "default", written_at_ms: clock.now() },
      { type: "lifecycle", kind: "restored", agent_id: "ana" },
    ]);
  });

  it("serves two Keepsakes in one program, each with a journal of its own", async () => {
    await using dir = await tempDir();
    await writeTree(dir.path, { "ana/note.md": "hello\n" });
    for (const name of ["one", "two"]) {
      await using keepsake = await openKeepsake({
        stateRoot: dir.join(name),
        config: {
          plugins: [plugin],
          sources: [{ use: "memdir" }],
          events: { publishers: [{ use: "event-journal", file: dir.join(`${name}.jsonl`) }] },
        },
      });
      await keepsake.snapshot({ agent: "ana", memory: dir.join("ana") });
    }
    for (const name of ["one", "two"])
      expect((await readFile(dir.join(`${name}.jsonl`), "utf8")).split("\n")).toHaveLength(2);
  });
});
