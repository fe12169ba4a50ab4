import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { type BundleStore, isKeepsakeError } from "@keepsake/core";
import { opendalStore } from "../src/index.js";

/** What lies in the folders of a WebDAV server; a name with a slash at its end is a folder. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  "/": ["t/"],
  "/t/": ["t/a/", "t/b/", "t/last"],
  "/t/a/": ["t/a/1", "t/a/2"],
  "/t/b/": ["t/b/3"],
};
const ALL = ["t/a/1", "t/a/2", "t/b/3", "t/last"];

/** Answers PROPFIND alone; `refuse` says with which status, or undefined for what is there. */
async function webdav(refuse: (path: string) => number | undefined) {
  const server = createServer((request, response) => {
    request.resume().on("end", () => answer(request, response));
  });
  const answer = ({ url = "/" }: IncomingMessage, response: ServerResponse): void => {
    const status = refuse(url);
    const names = FOLDERS[url];
    if (status !== undefined || names === undefined) return void response.writeHead(status ?? 404).end();
    response.writeHead(207, { "content-type": "application/xml" });
    response.end(
      `<D:multistatus xmlns:D="DAV:">${[url, ...names.map((name) => `/${name}`)].map(entry).join("")}</D:multistatus>`,
    );
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function entry(path: string): string {
  const type = path.endsWith("/") ? "<D:collection/>" : "";
  return `<D:response><D:href>${path}</D:href><D:propstat><D:prop>
    <D:getlastmodified>Mon, 23 Nov 2026 12:00:00 GMT</D:getlastmodified><D:getcontentlength>1</D:getcontentlength>
    <D:resourcetype>${type}</D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`;
}

async function keysOf(store: BundleStore, signal?: AbortSignal): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list("", signal && { signal })) keys.push(key);
  return keys;
}

/** Refuses one folder the first so many times. */
function refusing(folder: string, times: number, status = 503) {
  const seen = { count: 0 };
  const refuse = (path: string) => (path === folder && seen.count++ < times ? status : undefined);
  return { seen, refuse };
}

describe("a listing", () => {
  it("is no empty one where the server cannot be reached", async () => {
    const server = await webdav(() => undefined);
    await server[Symbol.asyncDispose]();
    const store = await opendalStore({ scheme: "webdav", options: { endpoint: server.endpoint } });
    await expect(keysOf(store)).rejects.toMatchObject({
      code: "E_IO",
      retry: "temporary",
      message: expect.stringContaining("it cannot be reached") as string,
    });
    await expect(store.sweep?.({ olderThanMs: 0 })).rejects.toMatchObject({ code: "E_IO" });
  });

  it.each(["/", "/t/", "/t/a/", "/t/b/"])("has all of it although %s could not be listed at first", async (folder) => {
    const { seen, refuse } = refusing(folder, 2);
    await using server = await webdav(refuse);
    const store = await opendalStore({ scheme: "webdav", options: { endpoint: server.endpoint } });
    expect(await keysOf(store)).toEqual(ALL);
    expect(seen.count).toBeGreaterThan(2);
  });

  it("fails where a folder cannot be listed, rather than leave it out", async () => {
    const { refuse } = refusing("/t/a/", Number.POSITIVE_INFINITY);
    await using server = await webdav(refuse);
    const store = await opendalStore({ scheme: "webdav", options: { endpoint: server.endpoint } });
    await expect(keysOf(store)).rejects.toMatchObject({ code: "E_IO", retry: "temporary" });
  });

  it("has what is left where a folder went meanwhile, and is empty where there is none", async () => {
    const { refuse } = refusing("/t/a/", 1, 404);
    await using server = await webdav(refuse);
    const store = await opendalStore({ scheme: "webdav", options: { endpoint: server.endpoint } });
    expect(await keysOf(store)).toEqual(["t/b/3", "t/last"]);
    const keys: string[] = [];
    for await (const { key } of store.list("elsewhere/")) keys.push(key);
    expect(keys).toEqual([]);
  });

  it("can be stopped between two attempts", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    await using server = await webdav(() => {
      setImmediate(() => controller.abort(reason));
      return 503;
    });
    const store = await opendalStore({ scheme: "webdav", options: { endpoint: server.endpoint } });
    const failure = await keysOf(store, controller.signal).catch((error: unknown) => error);
    expect(isKeepsakeError(failure)).toBe(false);
    expect(failure).toBe(reason);
  });
});
