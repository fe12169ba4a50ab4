import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { copyFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { tempDir, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";

const CLI = fileURLToPath(new URL("../../packages/cli/bin/keepsake.js", import.meta.url));
const CONFIG = fileURLToPath(new URL("./keepsake.config.yaml", import.meta.url));
const FOLDER = "tenants/default/snapshots/ana";
/** The discard service: nobody listens there. */
const UNREACHABLE = { S3_ENDPOINT: "http://127.0.0.1:9", S3_BUCKET: "agents" };
const NOTE = "ana likes tea\n";

type Env = Readonly<Record<string, string>>;

/** Where the bucket is, or undefined; an error where there has to be one. */
const reachable = findServer();

function findServer(): Env | undefined {
  const address = process.env["KEEPSAKE_TEST_S3"];
  if (address !== undefined) {
    const { origin, pathname } = new URL(address);
    return { S3_ENDPOINT: origin, S3_BUCKET: pathname.slice(1), S3_PREFIX: `test/${randomUUID()}` };
  }
  if (process.env["KEEPSAKE_REQUIRE_TOOLS"] === "1") throw new Error("KEEPSAKE_TEST_S3 is required and not set");
  console.log("KEEPSAKE_TEST_S3 is not set: the bucket stays out of reach (node scripts/s3-server.mjs npm test)");
  return undefined;
}

/** A reader's folder: the configuration, and the memory of one agent. */
async function home() {
  const dir = await tempDir();
  await copyFile(CONFIG, dir.join("keepsake.config.yaml"));
  await writeTree(dir.path, { "agents/ana/note.md": NOTE });
  const keys = { AWS_ACCESS_KEY_ID: "nobody", AWS_SECRET_ACCESS_KEY: "nothing", AWS_EC2_METADATA_DISABLED: "true" };
  function keepsake(bucket: Env, ...args: readonly string[]) {
    const env = { ...keys, ...process.env, HOME: dir.path, ...bucket };
    const options = { cwd: dir.path, encoding: "utf8", env, timeout: 120_000 } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args, "--json"], options);
    return { status, stderr, told: status === 1 ? undefined : (JSON.parse(stdout) as { readonly id: string }) };
  }
  return {
    keepsake,
    note: dir.join("agents/ana/note.md"),
    nas: dir.join("nas"),
    disk: dir.join("disk"),
    filesIn: async (name: string) => (await readdir(dir.join(name, FOLDER)).catch(() => [])).sort(),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

const snapshot = ["snapshot", "--agent", "ana"] as const;
const restore = ["restore", "--agent", "ana", "--yes"] as const;

describe("two folders and a bucket that is out of reach", () => {
  it("takes a snapshot, says what is missing with exit code 3, and gives it back from what is left", async () => {
    await using at = await home();
    const taken = at.keepsake(UNREACHABLE, ...snapshot);
    expect(taken).toMatchObject({ status: 3, stderr: expect.stringMatching(/E_INCOMPLETE[^]*bucket/) as string });
    const files = await at.filesIn("disk");
    expect(files).toHaveLength(3);
    expect(await at.filesIn("nas")).toEqual(files);

    await rm(at.disk, { recursive: true });
    await writeFile(at.note, "forgotten");
    expect(at.keepsake(UNREACHABLE, ...restore, taken.told?.id ?? "").status).toBe(3);
    expect(await readFile(at.note, "utf8")).toBe(NOTE);
    expect(at.keepsake(UNREACHABLE, "sync", "nas", "disk").status).toBe(0);
    expect(await at.filesIn("disk")).toEqual(await at.filesIn("nas"));
    expect(await at.filesIn("disk")).toEqual(expect.arrayContaining(files));
  });

  it("takes none when a folder is down as well, and leaves nothing in the other", async () => {
    await using at = await home();
    await writeFile(at.nas, "no folder");
    expect(at.keepsake(UNREACHABLE, ...snapshot)).toMatchObject({ status: 1 });
    expect(await at.filesIn("disk")).toEqual([]);
  });
});

describe.runIf(reachable !== undefined)("two folders and a bucket on a real server", () => {
  it("catch up by sync after the bucket was out of reach, and the bucket alone gives all back", async () => {
    await using at = await home();
    const bucket = reachable ?? {};
    const first = at.keepsake(bucket, ...snapshot);
    expect(first).toMatchObject({ status: 0, stderr: "" });
    await writeFile(at.note, "second");
    const second = at.keepsake(UNREACHABLE, ...snapshot);
    expect(second.status).toBe(3);
    expect(second.stderr).toContain("bucket");

    expect(at.keepsake(bucket, "sync", "disk", "bucket")).toMatchObject({
      status: 0,
      told: { copied: [{ id: second.told?.id, from: "disk", to: "bucket" }], differing: [] },
    });
    for (const folder of [at.disk, at.nas]) await rm(folder, { recursive: true });
    await writeFile(at.note, "forgotten");
    expect(at.keepsake(bucket, ...restore, second.told?.id ?? "")).toMatchObject({ status: 0, stderr: "" });
    expect(await readFile(at.note, "utf8")).toBe("second");
    expect(at.keepsake(bucket, "sync", "bucket", "nas").status).toBe(0);
    for (const { told } of [first, second]) expect(await at.filesIn("nas")).toContain(`${told?.id ?? ""}.json`);
  });
});
