import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { definePlugin, KeepsakeError, sourceProvider, streamOf } from "@keepsake/core";
import { z } from "zod";

/** What the service may answer. It is another program: what it says is checked. */
const documentsSchema = z.record(z.string(), z.object({ text: z.string(), updated_ms: z.number() }));
const exportSchema = z.object({ revision: z.number(), documents: documentsSchema });

/** Asks the service one thing. */
async function call(url, method, params, signal) {
  signal?.throwIfAborted();
  const request = { jsonrpc: "2.0", id: 1, method, params };
  const headers = { "content-type": "application/json" };
  try {
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(request), signal });
    const { result, error } = await response.json();
    if (error === undefined) return result;
    throw new Error(`${error.message} (${error.code})`);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new KeepsakeError("E_IO", `The service at ${url} did not answer to "${method}".`, { cause: error });
  }
}

async function exported(url, signal) {
  const answer = exportSchema.safeParse(await call(url, "export", {}, signal));
  if (answer.success) return answer.data;
  throw new KeepsakeError("E_IO", `What the service at ${url} exports is not what is expected.`, {
    cause: answer.error,
  });
}

/** One artifact for each document. Its name may hold anything, a path may not. */
const pathOf = (name) => `${encodeURIComponent(name).replace(/^\.{1,2}$/, (dots) => dots.replaceAll(".", "%2E"))}.txt`;
const nameOf = (path) => decodeURIComponent(path.replace(/\.txt$/, ""));
const isSame = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = (documents) => Object.entries(documents).sort(([a], [b]) => (a < b ? -1 : 1));

/** One capture. The service gives all documents at one moment: that answer is what is pinned. */
function openCapture(url) {
  let pinned;
  return {
    claims: [], // nothing of it lies in the memory directory
    async pin({ signal } = {}) {
      pinned = await exported(url, signal);
      return "held";
    },
    // It moves with every change, so that the engine sees whether the pinned moment is the one of the other sources.
    fence: async ({ signal } = {}) => String((await call(url, "revision", {}, signal)).revision),
    pinnedFence: () => pinned && String(pinned.revision),
    async *entries({ signal } = {}) {
      if (pinned === undefined) throw new TypeError("Nothing is pinned.");
      for (const [name, { text, updated_ms }] of sorted(pinned.documents)) {
        signal?.throwIfAborted();
        yield {
          type: "file",
          path: pathOf(name),
          mode: 0o600,
          mtimeMs: updated_ms,
          content: { stream: streamOf(text) },
        };
      }
      signal?.throwIfAborted();
    },
    async [Symbol.asyncDispose]() {
      pinned = undefined;
    },
  };
}

/**
 * One restore. `stage` writes both states into files: the one to come, and the one to go back to. `commit` and `rollback`
 * each hand one of them to the service, which takes it at once: both may be called again, also after a crash.
 */
function openRestore(url, { paths, stageBeside }) {
  async function bring(file, signal) {
    if (file === null) return; // there was nothing to change
    const documents = JSON.parse(await readFile(file, "utf8"));
    if (!isSame((await exported(url, signal)).documents, documents)) await call(url, "import", { documents }, signal);
  }
  return {
    claims: [],
    async stage(entries, omitted, { signal } = {}) {
      const before = (await exported(url, signal)).documents;
      const after = {};
      for await (const { path, file, meta } of entries) {
        after[nameOf(path)] = { text: await readFile(file, "utf8"), updated_ms: meta.mtimeMs };
      }
      // What the snapshot had seen and could not capture stays as it is.
      for (const { path } of omitted) if (before[nameOf(path)]) after[nameOf(path)] = before[nameOf(path)];
      if (isSame(before, after)) return { changes: [], data: { after: null, before: null }, notices: [] };
      const folder = await stageBeside(paths.memory);
      const data = { after: join(folder, "after.json"), before: join(folder, "before.json") };
      await writeFile(data.after, JSON.stringify(after), { flush: true });
      await writeFile(data.before, JSON.stringify(before), { flush: true });
      return { changes: changesOf(before, after), data, notices: [] };
    },
    commit: ({ data }, { signal } = {}) => bring(data.after, signal),
    rollback: ({ data }) => bring(data.before),
    finish: async () => undefined, // the engine removes the staged files
    async [Symbol.asyncDispose]() {},
  };
}

function changesOf(before, after) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const path = pathOf(name);
    if (!Object.hasOwn(before, name)) return [{ action: "create", path }];
    if (!Object.hasOwn(after, name)) return [{ action: "delete", path }];
    return isSame({ name: before[name] }, { name: after[name] }) ? [] : [{ action: "replace", path }];
  });
}

/**
 * A source for the documents of a service.
 *
 * @param {{ id?: string, url: string }} options
 * @returns {import("@keepsake/core").ArtifactSource}
 */
export function jsonRpcSource({ id = "documents", url }) {
  return {
    id,
    kind: "example/json_rpc",
    async open(_target, { signal } = {}) {
      signal?.throwIfAborted();
      return openCapture(url);
    },
    openRestore: async (target) => openRestore(url, target),
  };
}

export default definePlugin({
  name: "json-rpc-source",
  api: 1,
  providers: [
    sourceProvider("json-rpc", {
      options: z.strictObject({ url: z.url() }),
      create: ({ url }, _resolver, { id }) => jsonRpcSource({ id, url }),
    }),
  ],
});
