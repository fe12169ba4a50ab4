/**
 * A small key-value server over HTTP, as one finds them in companies: `node server.mjs <folder> [port]`.
 *
 *     PUT /<bucket>/<key>       `If-None-Match: *` makes it fail with 412 where the key exists; 201
 *     GET, HEAD, DELETE         404 where it does not; GET takes `Range: bytes=a-b`
 *     GET /<bucket>?prefix=p    one line of JSON for each object, by ascending bytes of the key
 *
 * A key is percent-encoded. It says its address in a line. With KV_TOKEN set, requests need `Authorization: Bearer <token>`.
 */
import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

const lookAt = (file) => stat(file).catch(() => undefined);
const factsOf = ({ size, mtimeMs }) => ({ "content-length": size, "x-modified-ms": Math.floor(mtimeMs) });

async function put(file, request, response) {
  const partial = join(file, "../../partial", randomUUID());
  try {
    const handle = await open(partial, "wx");
    await pipeline(request, handle.createWriteStream({ flush: true }));
    if (request.headers["if-none-match"] === "*") await link(partial, file);
    else await rename(partial, file);
    response.writeHead(201, { "x-modified-ms": factsOf(await stat(file))["x-modified-ms"] }).end();
  } catch (error) {
    if (error.code === "EEXIST") response.writeHead(412).end();
    else if (!response.destroyed) response.writeHead(error.code === "ENOSPC" ? 507 : 500).end();
  } finally {
    await rm(partial, { force: true });
  }
}

async function get(file, { headers, method }, response) {
  const stats = await lookAt(file);
  if (stats === undefined) return response.writeHead(404).end();
  if (method === "HEAD") return response.writeHead(200, factsOf(stats)).end();
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
  if (first === undefined) {
    return pipeline(createReadStream(file), response.writeHead(200, factsOf(stats)));
  }
  const [start, end] = [Number(first), Math.min(Number(last), stats.size - 1)];
  if (start > end) return response.writeHead(416).end();
  const facts = { ...factsOf(stats), "content-length": end - start + 1 };
  return pipeline(createReadStream(file, { start, end }), response.writeHead(206, facts));
}

async function list(objects, prefix, response) {
  const keys = (await readdir(objects)).map(decodeURIComponent).filter((key) => key.startsWith(prefix));
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  for (const key of keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    const stats = await lookAt(join(objects, encodeURIComponent(key)));
    if (stats === undefined) continue;
    response.write(`${JSON.stringify({ key, size: stats.size, modified_ms: Math.floor(stats.mtimeMs) })}\n`);
  }
  response.end();
}

/** @param {{ root: string, token?: string | undefined }} options `root`: a folder, in which each bucket is one */
export function keyValueServer({ root, token }) {
  async function answer(request, response) {
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      return response.writeHead(401).end();
    const url = new URL(request.url, "http://kv");
    const [, bucket, key] = /^\/([a-z0-9-]+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (bucket === undefined) return response.writeHead(404).end();
    const objects = join(root, bucket, "objects");
    for (const folder of [objects, join(root, bucket, "partial")]) await mkdir(folder, { recursive: true });
    if (key === undefined) return list(objects, url.searchParams.get("prefix") ?? "", response);
    const file = join(objects, encodeURIComponent(decodeURIComponent(key)));
    if (request.method === "PUT") return put(file, request, response);
    if (request.method !== "DELETE") return get(file, request, response);
    const gone = await rm(file).catch(() => "missing");
    return response.writeHead(gone === "missing" ? 404 : 204).end();
  }

  return createServer((request, response) => {
    // Whoever went away in the middle of an answer is not to end the server.
    answer(request, response).catch(() => response.destroy());
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [root = "kv", port = "8484"] = process.argv.slice(2);
  const server = keyValueServer({ root, token: process.env.KV_TOKEN });
  server.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
}
