import { readFile, writeFile } from "node:fs/promises";
import { openKeepsake } from "@keepsake/standard";
import { tempDir, treeDigest, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { makeIdentity, restoreWith, snapshotFor } from "./two-recipients.js";

const SECRET = "the door code is 4711\n";

describe("a snapshot for two recipients", () => {
  it("is opened by either alone, by nobody else, and shows no plaintext", async () => {
    await using dir = await tempDir();
    const [state, memory] = [dir.join("state"), dir.join("ana")];
    await writeTree(memory, { "note.md": SECRET });
    const ana = await makeIdentity(dir.path, "ana");
    const ben = await makeIdentity(dir.path, "ben");
    const eve = await makeIdentity(dir.path, "eve");

    const record = await snapshotFor([ana.recipient, ben.recipient], memory, state);
    expect(record.encrypted).toBe(true);
    expect(record.recipientsFingerprint).toHaveLength(2);
    const bytes = await readFile(`${state}/${record.bundlePath}`);
    expect(bytes.subarray(0, 21).toString()).toBe("age-encryption.org/v1");

    const before = await treeDigest(memory);
    for (const { file } of [ana, ben]) {
      await writeFile(`${memory}/note.md`, "forgotten\n");
      const { preSnapshot } = await restoreWith(file, record.id, memory, state);
      expect(await treeDigest(memory)).toEqual(before);
      expect(preSnapshot).toBeDefined();
    }
    await writeFile(`${memory}/note.md`, "forgotten\n");
    await expect(restoreWith(eve.file, record.id, memory, state)).rejects.toMatchObject({ code: "E_DECRYPT" });
    expect(await readFile(`${memory}/note.md`, "utf8")).toBe("forgotten\n");

    await using keepsake = await openKeepsake({ stateRoot: state });
    const { snapshots } = await keepsake.list({ agent: "ana" });
    expect(snapshots.map(({ encrypted }) => encrypted)).toEqual([true, true, true]);
  });
});
