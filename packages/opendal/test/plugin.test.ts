import { readdir } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import type { BundleStore } from "@keepsake/core";
import { chunked, makePart, tempDir, type MakeOptions } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { opendalPlugin } from "../src/index.js";

async function make(dir: string, options: MakeOptions["options"]): Promise<BundleStore> {
  const secrets = { read: async () => "hunter2" };
  return (await makePart(opendalPlugin, "store", "opendal", { dir, id: "primary", options, secrets })).part;
}

describe("the plugin opendal", () => {
  it("makes a store in a folder relative to the configuration", async () => {
    await using dir = await tempDir();
    const store = await make(dir.path, { scheme: "fs", root: "./s" });
    await store.put("k", chunked("x"));
    expect(store.id).toBe("primary");
    expect(await readdir(dir.join("s"))).toContain("k");
    expect((await make(dir.path, { scheme: "fs", options: { root: "t" } })).describe()).toBe(
      `fs (root ${dir.join("t")})`,
    );
  });

  it.each([
    [{}, /scheme/],
    [{ scheme: "Not a name" }, /name of a service/],
    [{ scheme: "fs" }, /needed for the scheme fs/],
    [{ scheme: "fs", bucket: "b" }, /bucket/],
    [{ scheme: "s3", options: { bucket: ["b"] } }, /secret reference/],
    [{ scheme: "s3", part_bytes: 1000 }, /5242880/],
    [{ scheme: "s3", timeout_secs: 0 }, />0/],
  ])("refuses %j", async (options, message) => {
    await using dir = await tempDir();
    await expect(make(dir.path, options)).rejects.toThrow(message);
    expect(await readdir(dir.path)).toEqual(["state"]);
  });

  it("reads secrets through references, sends them, and repeats them in no message", async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, answer) => {
      seen.push(request.headers.authorization);
      request.resume();
      answer.writeHead(500).end("I was told hunter2");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      await using dir = await tempDir();
      const endpoint = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
      const options = { endpoint, username: "me", password: { env: "DAV_PASSWORD" } };
      const store = await make(dir.path, { scheme: "webdav", root: "/agents", options });
      const error: unknown = await store.head("k").catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "E_IO", retry: "temporary" });
      expect(inspect(error)).toContain("I was told ***");
      expect(seen[0]).toBe(`Basic ${Buffer.from("me:hunter2").toString("base64")}`);
      expect(seen.length).toBeGreaterThan(1);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
