import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ArtifactSource, Plugin } from "@keepsake/core";
import { openKeepsake } from "@keepsake/standard";
import { pluginConformance, runConformance, sourceConformance, tempDir, writeTree } from "@keepsake/testkit";
import { describe, expect, it } from "vitest";

const file = fileURLToPath(new URL("./json-rpc-source.mjs", import.meta.url));
const { default: plugin, jsonRpcSource } = (await import(file)) as {
  default: Plugin;
  jsonRpcSource: (options: { readonly url: string }) => ArtifactSource;
};

type Documents = Readonly<Record<string, { readonly text: string; readonly updated_ms: number }>>;

/** The service as a program of its own, until it is disposed. */
async function start() {
  const program = fileURLToPath(new URL("./service.mjs", import.meta.url));
  const child = spawn(process.execPath, [program, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const url = line.toString().trim();
  async function ask(method: string, params: object = {}): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    return ((await (await fetch(url, { method: "POST", body })).json()) as { readonly result: unknown }).result;
  }
  return {
    url,
    ask,
    documents: async () => ((await ask("export")) as { readonly documents: Documents }).documents,
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, "exit");
    },
  };
}

describe("the source of a service's documents", () => {
  it("takes them with the notes at one moment, and brings both back", async () => {
    await using dir = await tempDir();
    await using service = await start();
    await writeTree(dir.path, { "ana/note.md": "hello\n" });
    await service.ask("set", { name: "plan/../..", text: "first" });
    await using keepsake = await openKeepsake({
      plugins: [plugin],
      stateRoot: dir.join("state"),
      config: { sources: [{ use: "json-rpc", id: "documents", url: service.url }, { use: "memdir" }] },
    });
    const agent = { agent: "ana", memory: dir.join("ana") };
    const { record, manifest } = await keepsake.snapshot({ ...agent, redact: false });
    expect(manifest?.cut?.consistency).toBe("instant");
    expect(manifest?.artifacts.map(({ pathInBundle }) => pathInBundle)).toEqual([
      "documents/plan%2F..%2F...txt",
      "memory_files/note.md",
    ]);

    const before = await service.documents();
    await service.ask("set", { name: "plan/../..", text: "second" });
    await service.ask("set", { name: "new", text: "…" });
    const { plan } = await keepsake.restore({ ...agent, ref: record.id });
    expect(plan.map(({ action }) => action)).toEqual(["delete", "replace"]);
    expect(await service.documents()).toEqual(before);
  });

  it("fails when the service is away, instead of capturing nothing", async () => {
    const service = await start();
    await service[Symbol.asyncDispose]();
    const session = await jsonRpcSource({ url: service.url }).open({} as never);
    await expect(session.pin()).rejects.toMatchObject({ code: "E_IO" });
  });
});

runConformance(
  [
    ...sourceConformance({
      async create(dir) {
        const service = await start();
        const memory = join(dir, "memory");
        await mkdir(memory);
        let changes = 0;
        return {
          source: jsonRpcSource({ url: service.url }),
          memory,
          live: {
            async make() {
              for (const name of ["a", "b", "."]) await service.ask("set", { name, text: `text of ${name}` });
            },
            async change() {
              await service.ask("set", { name: "a", text: `changed ${String(++changes)}` });
              await service.ask("remove", { name: "b" });
              await service.ask("set", { name: `new ${String(changes)}`, text: "" });
            },
            read: async () => Object.entries(await service.documents()).sort(),
          },
          [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
        };
      },
    }),
    ...pluginConformance({ create: () => ({ plugin, module: file, options: () => ({ url: "http://127.0.0.1:1" }) }) }),
  ],
  { describe, it },
);
