import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, symlink } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openKeepsake } from "@keepsake/standard";
import { tempDir, writeTree } from "@keepsake/testkit";
import { expect, it } from "vitest";

const run = promisify(execFile);
const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const KINDS = ["store", "codec", "source", "redaction", "state", "lock"];

it("takes a snapshot and brings it back through a plugin of each kind that `plugin create` wrote", async () => {
  await using dir = await tempDir();
  // As npm would have installed it: the packages of this checkout.
  await mkdir(dir.join("node_modules"));
  for (const [name, place] of [
    ["@keepsake", "packages/cli/node_modules/@keepsake"],
    ["zod", "packages/cli/node_modules/zod"],
    ["@types", "node_modules/@types"],
  ] as const) {
    await symlink(here(place), dir.join("node_modules", name));
  }
  for (const kind of KINDS) {
    await run(process.execPath, [here("packages/cli/bin/keepsake.js"), "plugin", "create", kind, `acme-${kind}`], {
      cwd: dir.path,
    });
  }
  // All in one run of the compiler, without its checks, which have been made: it takes seconds for each.
  const sources = KINDS.map((kind) => `acme-${kind}/src/index.ts`);
  const flags = ["--noCheck", "--module", "nodenext", "--target", "es2022", "--rootDir", ".", "--outDir", "built"];
  await writeTree(dir.path, { "package.json": '{"type":"module"}' });
  await run(process.execPath, [here("node_modules/typescript/bin/tsc"), ...flags, ...sources], { cwd: dir.path });
  const secret = `acme_${"x".repeat(24)}`;
  await writeTree(dir.path, {
    "ana/note.md": `the key is ${secret}\n`,
    "book/contacts.json": '{"ben":1}\n',
    "run/default.ana.json": '{"cursor":7,"other":8}\n',
    "keepsake.config.yaml": `
plugins: [${KINDS.map((kind) => `./built/acme-${kind}/src/index.js`).join(", ")}]
state_root: ./state
stores: { primary: { use: acme-store, root: ./kept } }
codecs: [{ use: acme-codec, quality: 1 }]
sources: [{ use: acme-source, id: contacts, path: ../book/contacts.json }, { use: memdir }]
redaction: { default: true, policies: [acme-redaction] }
state: [{ use: acme-state, folder: ./run, keys: [cursor, last_run] }]
lock: { use: acme-lock, root: ./locks }
`,
  });
  await using keepsake = await openKeepsake({ config: { file: dir.join("keepsake.config.yaml") } });
  const agent = { agent: "ana", memory: dir.join("ana") };
  const { record, manifest } = await keepsake.snapshot(agent);
  expect(manifest?.redactions?.matchesRedacted).toBe(1);
  expect((await readdir(dir.join("kept/objects"))).filter((name) => name.endsWith(".tar.acme-codec"))).toHaveLength(1);
  expect(await readdir(dir.join("locks"))).toEqual([encodeURIComponent("agents/default/ana")]);

  await writeTree(dir.path, { "book/contacts.json": "{}\n", "run/default.ana.json": '{"cursor":9,"other":10}\n' });
  await keepsake.restore({ ...agent, ref: record.id, acceptRedacted: true });
  expect(await readFile(dir.join("ana/note.md"), "utf8")).not.toContain(secret);
  expect(await readFile(dir.join("book/contacts.json"), "utf8")).toBe('{"ben":1}\n');
  // Only the provider's own keys are set.
  expect(JSON.parse(await readFile(dir.join("run/default.ana.json"), "utf8"))).toEqual({ cursor: 7, other: 10 });
});
