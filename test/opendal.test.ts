import { readdir, readFile, symlink } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openKeepsake } from "@keepsake/standard";
import { tempDir, writeTree } from "@keepsake/testkit";
import { expect, it } from "vitest";

const INSTALLED = fileURLToPath(new URL("./node_modules", import.meta.url));

it("a configuration that names @keepsake/opendal keeps snapshots on a service of OpenDAL", async () => {
  await using dir = await tempDir();
  await symlink(INSTALLED, dir.join("node_modules"));
  await writeTree(dir.path, { "ana/note.md": "hello\n" });
  const agent = { agent: "ana", memory: dir.join("ana") };
  await using keepsake = await openKeepsake({
    cwd: dir.path,
    env: { HOME: dir.path },
    config: {
      plugins: ["@keepsake/opendal"],
      state_root: "./state",
      stores: { primary: { use: "opendal", scheme: "fs", root: "./snapshots" } },
    },
  });
  const { record } = await keepsake.snapshot(agent);
  await writeTree(dir.path, { "ana/note.md": "changed\n", "ana/new.md": "new" });
  await keepsake.restore({ ...agent, ref: record.id });
  expect(await readFile(dir.join("ana/note.md"), "utf8")).toBe("hello\n");
  expect(await readdir(dir.join("ana"))).toEqual(["note.md"]);
  expect(await keepsake.verify({ ...agent, ref: record.id, deep: true })).toMatchObject({ ok: true });
  expect(await readdir(dir.join("snapshots/tenants/default/snapshots/ana"))).toContain(`${record.id}.json`);
  const { snapshots } = await keepsake.list({});
  expect(snapshots.map(({ id }) => id)).toContain(record.id);
  expect(snapshots.find(({ id }) => id === record.id)).toMatchObject({ verifiedAtMs: expect.any(Number) as number });
});
