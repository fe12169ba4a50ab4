import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { treeDigest } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { keepsakeCase } from "./support/keepsake-case.js";

const WHOLE = '{"event":1}\n';
const BEGUN = `${WHOLE}{"event":`;

describe("a JSONL whose last line had only begun", () => {
  it("ends on a complete line in a snapshot, and loses nothing when that is restored over it", async () => {
    await using at = await keepsakeCase();
    const log = join(at.memory, "log.jsonl");
    await writeFile(log, BEGUN);
    await writeFile(join(at.memory, "note.md"), "old\n");
    const { manifest } = await at.keepsake.snapshot({ agent: "ana" });
    const captured = manifest?.artifacts.find(({ pathInBundle }) => pathInBundle.endsWith("log.jsonl"));
    expect(captured).toMatchObject({ sizeBytes: WHOLE.length, facts: { cut_partial_line_bytes: 9 } });

    await writeFile(join(at.memory, "note.md"), "new\n");
    const { plan } = await at.keepsake.restore({ agent: "ana", ref: "latest" });
    expect(plan.map(({ path }) => path)).toEqual(["note.md"]);
    expect(await readFile(log, "utf8")).toBe(BEGUN);
  });

  it("comes back whole, begun line and all, when a restore over it is undone", async () => {
    await using at = await keepsakeCase();
    const log = join(at.memory, "log.jsonl");
    await writeFile(log, '{"event":0}\n');
    await at.keepsake.snapshot({ agent: "ana" });
    await writeFile(log, BEGUN);
    const before = await treeDigest(at.memory);
    const { preSnapshot } = await at.keepsake.restore({ agent: "ana", ref: "latest" });
    expect(await readFile(log, "utf8")).toBe('{"event":0}\n');
    await at.keepsake.restore({ agent: "ana", ref: preSnapshot ?? "" });
    expect(await treeDigest(at.memory)).toEqual(before);
  });
});
