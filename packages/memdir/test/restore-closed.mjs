// node restore-closed.mjs <dir>: captures <dir>/memory, breaks it, restores, takes back, restores again; prints ok
import { strict as assert } from "node:assert";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memdir } from "../dist/index.js";
import { createHash } from "node:crypto";

const dir = process.argv[2];
const memory = join(dir, "memory");
const closed = join(memory, "closed");
const target = { agent: { tenant: "default", agent: "ana" }, paths: { memory }, claimed: [] };
mkdirSync(join(dir, "scratch"));
const session = await memdir().open({ ...target, scratchDir: join(dir, "scratch") });
const entries = [];
for await (const entry of session.entries()) {
  const base = { source: "memory_files", kind: "memory_file", sizeBytes: 0, sha256: "", pathInBundle: entry.path };
  if (entry.type === "directory") entries.push({ meta: { ...base, ...entry }, path: entry.path });
  if (entry.type !== "file") continue;
  const { bytes } = entry.content;
  const file = join(dir, `entry-${entries.length}`);
  writeFileSync(file, bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const { mode, mtimeMs, type } = entry;
  entries.push({ meta: { ...base, type, mode, mtimeMs, sizeBytes: bytes.length, sha256 }, path: entry.path, file });
}

chmodSync(closed, 0o755);
rmSync(join(closed, "a.md"));
mkdirSync(join(closed, "later"));
writeFileSync(join(closed, "later/x"), "x");
chmodSync(join(closed, "later"), 0o555);
chmodSync(closed, 0o555);

const stageBeside = async () => {
  mkdirSync(join(dir, "staging"), { recursive: true, mode: 0o700 });
  return join(dir, "staging");
};
const restore = await memdir().openRestore({ ...target, operationId: "op", stageBeside, live: false, artifacts: [] });
async function* all() {
  yield* entries;
}
const plan = await restore.stage(all(), []);
const isNew = () => {
  assert.equal(readFileSync(join(closed, "a.md"), "utf8"), "a");
  assert.throws(() => statSync(join(closed, "later")));
  assert.equal(statSync(closed).mode & 0o777, 0o555);
};
await restore.commit(plan);
isNew();
await restore.rollback(plan);
assert.equal(readFileSync(join(closed, "later/x"), "utf8"), "x");
assert.equal(statSync(closed).mode & 0o777, 0o555);
assert.equal(statSync(join(closed, "later")).mode & 0o777, 0o555);
await restore.commit(plan);
isNew();
await restore.finish(plan);
rmSync(join(dir, "staging"), { recursive: true });
console.log("ok");
