import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { BundleStore, Plugin } from "@keepsake/core";
import { openKeepsake } from "@keepsake/standard";
import {
  chunked,
  pluginConformance,
  runConformance,
  storeConformance,
  tempDir,
  type TempDir,
  writeTree,
} from "@keepsake/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const file = fileURLToPath(new URL("./http-store.mjs", import.meta.url));
const { default: plugin, httpStore } = (await import(file)) as {
  default: Plugin;
  httpStore: (options: { readonly url: string; readonly token?: string }) => BundleStore;
};

/** The server as a program of its own, on a free port, until it is disposed. */
async function serve(root: string, token?: string) {
  const program = fileURLToPath(new URL("./server.mjs", import.meta.url));
  const env = token === undefined ? process.env : { ...process.env, KV_TOKEN: token };
  const child = spawn(process.execPath, [program, root, "0"], { env, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return {
    url: line.toString().trim(),
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, "exit");
    },
  };
}

describe("the store on a key-value server", () => {
  it("keeps the snapshots of an agent, with the token that the configuration points to", async () => {
    await using dir = await tempDir();
    await writeTree(dir.path, { "ana/note.md": "hello\n", token: "s3cret" });
    await using server = await serve(dir.join("kv"), "s3cret");
    await using keepsake = await openKeepsake({
      plugins: [plugin],
      stateRoot: dir.join("state"),
      config: {
        stores: { primary: { use: "http-kv", url: `${server.url}/agents`, token: { file: dir.join("token") } } },
      },
    });
    const agent = { agent: "ana", memory: dir.join("ana") };
    const { record } = await keepsake.snapshot(agent);
    await writeTree(dir.path, { "ana/note.md": "changed\n" });
    await keepsake.restore({ ...agent, ref: record.id });
    expect(await readFile(dir.join("ana/note.md"), "utf8")).toBe("hello\n");
    expect((await keepsake.verify({ ...agent, ref: record.id })).ok).toBe(true);
    const keys: string[] = [];
    for await (const { key } of httpStore({ url: `${server.url}/agents`, token: "s3cret" }).list("")) keys.push(key);
    expect(keys.some((key) => key.includes(record.id))).toBe(true);
  });

  it("says what went wrong in codes that others understand", async () => {
    await using dir = await tempDir();
    const server = await serve(dir.path, "s3cret");
    const stranger = httpStore({ url: `${server.url}/agents`, token: "wrong" });
    await expect(stranger.put("k", chunked("x"))).rejects.toMatchObject({ code: "E_PERMISSION" });
    await expect(httpStore({ url: `${server.url}/agents` }).head("k")).rejects.toMatchObject({ code: "E_PERMISSION" });
    await server[Symbol.asyncDispose]();
    await expect(stranger.head("k")).rejects.toMatchObject({ code: "E_IO", retry: "temporary" });
  });
});

/** One server for all cases, each in a bucket of its own. */
let place: TempDir;
let server: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  place = await tempDir();
  server = await serve(place.path);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

runConformance(
  [
    ...storeConformance({
      create() {
        const url = `${server.url}/${randomUUID()}`;
        const open = (): BundleStore => httpStore({ url });
        return { store: open(), reopen: open };
      },
    }),
    ...pluginConformance({ create: () => ({ plugin, module: file, options: () => ({ url: "http://127.0.0.1:1" }) }) }),
  ],
  { describe, it },
);
