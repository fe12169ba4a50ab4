/**
 * A small service that keeps documents and speaks JSON-RPC 2.0 over HTTP: `node service.mjs [port]`.
 *
 *     export                  → { revision, documents: { <name>: { text, updated_ms } } }   all at one moment
 *     import { documents }    → { revision }       takes the place of all there are, at once
 *     set { name, text }, remove { name }, revision
 */
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

export function documentService() {
  let revision = 1;
  let documents = {};
  const methods = {
    revision: () => ({ revision }),
    export: () => ({ revision, documents }),
    import(params) {
      documents = params.documents;
      return { revision: ++revision };
    },
    set({ name, text }) {
      documents = { ...documents, [name]: { text, updated_ms: Date.now() } };
      return { revision: ++revision };
    },
    remove({ name }) {
      documents = Object.fromEntries(Object.entries(documents).filter(([key]) => key !== name));
      return { revision: ++revision };
    },
  };

  return createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += chunk;
    const { id, method, params = {} } = JSON.parse(text);
    const run = Object.hasOwn(methods, method) ? methods[method] : undefined;
    const error = { code: -32601, message: "Method not found" };
    const outcome = run === undefined ? { error } : { result: run(params) };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...outcome }));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = documentService().listen(Number(process.argv[2] ?? 8485), "127.0.0.1");
  server.once("listening", () => console.log(`http://127.0.0.1:${server.address().port}`));
}
