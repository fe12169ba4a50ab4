import { once } from "node:events";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import type { BundleStore, ByteStream } from "@keepsake/core";
import { chunked, collect, tempDir } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";
import { opendalStore, type OpendalStoreOptions } from "../src/index.js";
import { ObjectFacts } from "../src/object-facts.js";
import { Service } from "../src/service.js";
import { hasS3Server, s3Service } from "./support/test-services.js";

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const OWN = ".keepsake-opendal/partial";

async function keysOf(store: BundleStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list("")) keys.push(key);
  return keys;
}

async function* broken(mib: number, reason: Error): ByteStream {
  for (let count = 0; count < mib; count++) yield new Uint8Array(MIB);
  throw reason;
}

async function listening(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

describe("opendalStore", () => {
  it("says what it is, and no secret", async () => {
    const options = {
      bucket: "b",
      endpoint: "https://me:hunter2@s3.example.com",
      region: "x",
      secret_access_key: "hunter2",
    };
    const store = await opendalStore({ scheme: "s3", options });
    expect(store.describe()).toBe("s3 (bucket b, endpoint https://s3.example.com)");
    expect(store.id).toBe("opendal");
    expect((await opendalStore({ scheme: "memory", id: "m" })).describe()).toBe("memory");
  });

  it("declares what the library declares of the service", async () => {
    const of = async (scheme: string, options: OpendalStoreOptions["options"] = {}) =>
      (await opendalStore({ scheme, options })).capabilities;
    await using dir = await tempDir();
    const advisory = { durable: false, noOverwrite: "advisory", ranges: true };
    const conditional = { durable: true, noOverwrite: "atomic", noOverwriteLarge: "advisory", ranges: true };
    expect(await of("fs", { root: dir.path })).toEqual(advisory);
    expect(await of("memory")).toEqual({ ...advisory, lifetime: "process" });
    expect(await of("webdav", { endpoint: "http://127.0.0.1:1" })).toEqual(advisory);
    expect(await of("s3", { bucket: "b", region: "x" })).toEqual(conditional);
    expect(await of("azblob", { container: "c", endpoint: "http://127.0.0.1:1" })).toEqual(conditional);
  });

  it("replaces only where that is one step", async () => {
    const dav = await opendalStore({ scheme: "webdav", options: { endpoint: "http://127.0.0.1:1" } });
    expect(dav).not.toHaveProperty("replace");
    expect(await opendalStore({ scheme: "memory" })).toHaveProperty("replace");
  });

  it.each([
    ["nowhere", {}, "E_UNSUPPORTED"],
    ["s3", {}, "E_CONFIG"],
    ["s3", { bucket: "b", region: "x", enable_virtual_host_style: "perhaps" }, "E_CONFIG"],
  ])("refuses the service %s with the options %j", async (scheme, options, code) => {
    await expect(opendalStore({ scheme, options })).rejects.toMatchObject({ code, cause: { message: /permanent/ } });
  });

  it.each([
    ["webhdfs", { endpoint: "http://127.0.0.1:1" }, /cannot rename/],
    ["dashmap", {}, /cannot rename/],
    ["http", { endpoint: "http://127.0.0.1:1" }, /cannot write nor delete nor list/],
  ])("refuses the service %s, which cannot keep what a store promises", async (scheme, options, message) => {
    const store = opendalStore({ scheme, options });
    await expect(store).rejects.toMatchObject({
      code: "E_UNSUPPORTED",
      message: expect.stringMatching(message) as string,
    });
  });

  it("takes no body that is too large to be held, where the service takes it in one piece only", async () => {
    const store = await opendalStore({ scheme: "memory", singleBytes: 2 * MIB });
    const tooLarge = store.put("k", chunked(new Uint8Array(2 * MIB + 1), MIB));
    await expect(tooLarge).rejects.toMatchObject({
      code: "E_LIMIT",
      hint: expect.stringContaining("single_bytes") as string,
    });
    expect(await keysOf(store)).toEqual([]);
    await store.put("k", chunked(new Uint8Array(2 * MIB), MIB));
    expect((await store.head("k"))?.sizeBytes).toBe(2 * MIB);
  });
});

describe("in a folder", () => {
  it("leaves nothing of a body that failed, of any size", async () => {
    await using dir = await tempDir();
    const store = await opendalStore({ scheme: "fs", options: { root: dir.path } });
    for (const mib of [0, 1, 20]) {
      const reason = new Error(`after ${String(mib)} MiB`);
      await expect(store.put("a/k", broken(mib, reason))).rejects.toBe(reason);
    }
    expect(await keysOf(store)).toEqual([]);
    expect(await readdir(dir.join(OWN)).catch(() => [])).toEqual([]);
  });

  it("sweeps what a killed program left, and only when it is old", async () => {
    await using dir = await tempDir();
    const store = await opendalStore({ scheme: "fs", options: { root: dir.path } });
    await store.put("k", chunked("x"));
    await mkdir(dir.join(OWN), { recursive: true });
    for (const name of ["old", "new"]) await writeFile(dir.join(OWN, name), "half");
    const before = new Date(Date.now() - 2 * HOUR_MS);
    await utimes(dir.join(OWN, "old"), before, before);
    await utimes(dir.join("k"), before, before);
    expect(await store.sweep?.({ olderThanMs: HOUR_MS })).toEqual([`${OWN}/old`]);
    expect(await readdir(dir.join(OWN))).toEqual(["new"]);
    expect(await keysOf(store)).toEqual(["k"]);
    await expect(store.head(`${OWN}/new`)).rejects.toMatchObject({ code: "E_UNSAFE_PATH" });
  });

  it("shows only what a put could have made", async () => {
    await using dir = await tempDir();
    const store = await opendalStore({ scheme: "fs", options: { root: dir.path } });
    for (const name of ["plain.txt", "a b", "%41", "%zz"]) await writeFile(dir.join(name), "x");
    expect(await keysOf(store)).toEqual(["plain.txt"]);
    await store.put("a b", chunked("mine"));
    expect(Buffer.from(await collect((await store.get("a b")).body)).toString()).toBe("mine");
    expect((await readdir(dir.path)).sort()).toContain("a%20b");
  });

  it("makes no folder before it is used", async () => {
    await using dir = await tempDir();
    const store = await opendalStore({ scheme: "fs", options: { root: dir.join("new") } });
    expect(await readdir(dir.path)).toEqual([]);
    await store.put("k", chunked("x"));
    expect(await readdir(dir.join("new"))).toContain("k");
  });

  it("warns that two who write one name are not kept apart", async () => {
    await using dir = await tempDir();
    const store = await opendalStore({ scheme: "fs", options: { root: dir.path } });
    expect(await store.inspect?.()).toMatchObject([{ name: "no_overwrite", status: "warning" }]);
    expect(await keysOf(store)).toEqual([]);
  });
});

describe("a server that is silent", () => {
  it("is given up after the time that was allowed, and at once when aborted", async () => {
    const server = createServer(() => undefined);
    const sockets = new Set<{ destroy(): void }>();
    server.on("connection", (socket) => sockets.add(socket));
    try {
      const place = { scheme: "webdav", options: { endpoint: await listening(server) } };
      const hasty = await opendalStore({ ...place, timeoutMs: 200 });
      await expect(hasty.head("k")).rejects.toMatchObject({
        code: "E_IO",
        retry: "temporary",
        context: { timeout_ms: 200 },
      });
      const patient = await opendalStore(place);
      const reason = new Error("enough");
      const controller = new AbortController();
      const head = patient.head("k", { signal: controller.signal });
      controller.abort(reason);
      await expect(head).rejects.toBe(reason);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });
});

describe("a server that writes over what exists", () => {
  it("is told by `inspect`, whatever the library says of it", async () => {
    const server = createHttpServer((request, answer) => {
      request
        .resume()
        .on("end", () => answer.writeHead(request.method === "DELETE" ? 204 : 200, { etag: '"e"' }).end());
    });
    try {
      const endpoint = await listening(server);
      const options = { bucket: "b", region: "x", endpoint, access_key_id: "k", secret_access_key: "s" };
      const store = await opendalStore({ scheme: "s3", options });
      expect(await store.inspect?.()).toMatchObject([{ name: "no_overwrite", status: "problem" }]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("ObjectFacts", () => {
  it("tells the time of an object whose writer has not had his answer yet, where the service keeps no times", async () => {
    const service = await Service.open({ scheme: "memory" });
    const facts = new ObjectFacts(service);
    const about = { sentence: "The object could not be written" };
    await service.call(about, (operator) => operator.write("k", Buffer.from("x")));
    const before = Math.floor(Date.now() / 1000) * 1000;
    const found = await facts.find("k", "k", {});
    expect(found?.object).toMatchObject({ key: "k", sizeBytes: 1 });
    expect(found?.object.modifiedAtMs).toBeGreaterThanOrEqual(before);
  });
});

describe.runIf(hasS3Server)("on a real S3 server", () => {
  it("tells in our codes what the server refuses", async () => {
    const place = s3Service();
    const wrongKey = { ...place.options, secret_access_key: "wrong" };
    const stranger = await opendalStore({ scheme: "s3", options: wrongKey, secrets: ["wrong"] });
    await expect(stranger.put("k", chunked("x"))).rejects.toMatchObject({ code: "E_PERMISSION", retry: "permanent" });
    const lost = await opendalStore({ scheme: "s3", options: { ...place.options, bucket: "no-such-bucket" } });
    await expect(lost.put("k", chunked("x"))).rejects.toMatchObject({ code: "E_CONFIG" });
  });

  it("publishes nothing of a large body that failed or was aborted in the middle", async () => {
    const store = await opendalStore(s3Service());
    const reason = new Error("in the third part");
    await expect(store.put("k", broken(20, reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const body = (async function* () {
      for (let count = 0; count < 40; count++) {
        if (count === 20) controller.abort(reason);
        yield new Uint8Array(MIB);
      }
    })();
    await expect(store.put("k", body, { signal: controller.signal })).rejects.toBe(reason);
    expect(await store.head("k")).toBeUndefined();
    expect(await keysOf(store)).toEqual([]);
    await store.put("k", chunked(new Uint8Array(20 * MIB), MIB));
    await expect(store.put("k", chunked(new Uint8Array(20 * MIB), MIB))).rejects.toMatchObject({
      code: "E_ALREADY_EXISTS",
    });
  });

  it("is found to create on condition", async () => {
    const store = await opendalStore(s3Service());
    expect(await store.inspect?.()).toMatchObject([{ name: "no_overwrite", status: "ok" }]);
    expect(await store.sweep?.({ olderThanMs: HOUR_MS })).toEqual([]);
  });
});
