import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { pipeline } from "node:stream/promises";
import {
  abortable,
  definePlugin,
  isKeepsakeError,
  KeepsakeError,
  SECRETS,
  secretRefSchema,
  storeProvider,
  streamOf,
} from "@keepsake/core";
import { z } from "zod";

const CODES = {
  401: "E_PERMISSION",
  403: "E_PERMISSION",
  404: "E_NOT_FOUND",
  412: "E_ALREADY_EXISTS",
  507: "E_NO_SPACE",
};

/** Passes a body on, and remembers what it threw: that is not this store's to explain. */
function watched(body) {
  const watch = { sizeBytes: 0, failure: undefined, stream: undefined };
  watch.stream = (async function* () {
    try {
      for await (const chunk of body) {
        watch.sizeBytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      watch.failure = { error };
      throw error;
    }
  })();
  return watch;
}

/** Resolves with the answer when it begins. Node's own `fetch` held 130 MiB of an upload that this passes on in pieces. */
function send(target, { body, signal, ...options }) {
  const request = target.startsWith("https:") ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    let answer;
    const message = request(target, options, (begun) => resolve((answer = begun))).on("error", reject);
    // Not by the option `signal`: that destroys a connection which was just given back, and nobody listens to its error.
    const stop = () => answer?.complete || message.destroy(signal.reason);
    signal?.addEventListener("abort", stop, { once: true });
    message.once("close", () => signal?.removeEventListener("abort", stop));
    if (body === undefined) message.end();
    else pipeline(body, message).catch(reject);
  });
}

/**
 * A store on a key-value server that speaks HTTP (see server.mjs).
 *
 * @param {{ id?: string, url: string, token?: string }} options `url` of a bucket on it; `token` is sent with each request
 * @returns {import("@keepsake/core").BundleStore}
 */
export function httpStore({ id = "http-kv", url, token }) {
  const base = url.replace(/\/$/, "");
  const place = (key) => `${base}/${encodeURIComponent(key)}`;

  /** One request; an answer that is none of `expected` is an error with the code that fits. */
  async function ask(method, target, expected, { headers = {}, body, signal } = {}) {
    signal?.throwIfAborted();
    const input = body && watched(abortable(body, signal));
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    try {
      const allHeaders = { ...headers, ...authorization };
      const answer = await send(target, { method, headers: allHeaders, signal, body: input?.stream });
      if (expected.includes(answer.statusCode)) return { answer, sizeBytes: input?.sizeBytes };
      answer.resume(); // an answer that nobody reads would hold its connection
      const [code, context] = [CODES[answer.statusCode] ?? "E_IO", { status: answer.statusCode }];
      throw new KeepsakeError(code, `The server answered ${answer.statusCode}.`, { context });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (input?.failure) throw input.failure.error;
      if (isKeepsakeError(error)) throw error;
      throw new KeepsakeError("E_IO", `The server at ${base} could not be reached.`, { cause: error });
    }
  }

  async function head(key, { signal } = {}) {
    const { answer } = await ask("HEAD", place(key), [200, 404], { signal });
    answer.resume();
    if (answer.statusCode === 404) return undefined;
    const { "content-length": size, "x-modified-ms": modified } = answer.headers;
    return { key, sizeBytes: Number(size), modifiedAtMs: Number(modified) };
  }

  async function upload(key, body, headers, signal) {
    const { answer, sizeBytes } = await ask("PUT", place(key), [201], { body, headers, signal });
    answer.resume();
    return { key, sizeBytes, modifiedAtMs: Number(answer.headers["x-modified-ms"]) };
  }

  async function* download(key, range, signal) {
    if (range?.length === 0) return;
    const headers = range === undefined ? {} : { range: `bytes=${range.start}-${range.start + range.length - 1}` };
    const { answer } = await ask("GET", place(key), [200, 206, 416], { headers, signal });
    if (answer.statusCode === 416) return void answer.resume(); // the range begins after the end
    try {
      yield* answer; // fails when it is shorter than the server said
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw new KeepsakeError("E_IO", `The object ${key} could not be read to its end.`, {
        cause: error,
        context: { key },
      });
    }
  }

  return {
    id,
    // What the server promises: it has a body on its disk before it answers, and lets one of several writers win.
    capabilities: { durable: true, noOverwrite: "atomic", ranges: true },
    describe: () => `key-value server ${base}`,
    head,
    async put(key, body, { signal } = {}) {
      const taken = await head(key, { signal }); // spares the upload; the condition decides
      if (taken)
        throw new KeepsakeError("E_ALREADY_EXISTS", `There is already an object ${key}.`, { context: { key } });
      return upload(key, body, { "if-none-match": "*" }, signal);
    },
    async get(key, { range, signal } = {}) {
      const object = await head(key, { signal });
      if (!object) throw new KeepsakeError("E_NOT_FOUND", `There is no object ${key}.`, { context: { key } });
      // Asked for on the first step: a body that nobody reads holds no connection.
      return { object, body: abortable(download(key, range, signal), signal) };
    },
    async *list(prefix, { signal } = {}) {
      const { answer } = await ask("GET", `${base}?prefix=${encodeURIComponent(prefix)}`, [200], { signal });
      let rest = "";
      // Not by node:readline, which takes a list that was cut for one that has ended.
      for await (const text of abortable(answer.setEncoding("utf8"), signal)) {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const { key, size, modified_ms } = JSON.parse(line);
          yield { key, sizeBytes: size, modifiedAtMs: modified_ms };
          signal?.throwIfAborted();
        }
      }
    },
    async delete(key, { signal } = {}) {
      const { answer } = await ask("DELETE", place(key), [204, 404], { signal });
      answer.resume();
      return answer.statusCode === 204;
    },
    replace: (key, bytes, { signal } = {}) => upload(key, streamOf(bytes), {}, signal),
  };
}

const options = z.strictObject({ url: z.url(), token: secretRefSchema.optional() });

export default definePlugin({
  name: "http-kv",
  api: 1,
  providers: [
    storeProvider("http-kv", {
      options,
      needs: [SECRETS],
      async create({ url, token }, resolver, { id }) {
        // The configuration says where the secret is: `token: { env: KV_TOKEN }`.
        return httpStore({ id, url, token: token && (await resolver.get(SECRETS).read(token)) });
      },
    }),
  ],
});
