import { chmod, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import {
  type JsonValue,
  parseAgentId,
  parseTenantId,
  type StateItem,
  type StateOmission,
  type StateProvider,
} from "@keepsake/core";
import { type TempDir, tempDir } from "@keepsake/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { jsonState, jsonStatePlugin } from "../src/index.js";

let temp: TempDir;
beforeEach(async () => {
  temp = await tempDir();
});
afterEach(async () => temp[Symbol.asyncDispose]());

const target = () => ({
  agent: { tenant: parseTenantId("acme"), agent: parseAgentId("ana") },
  paths: { memory: temp.join("memory") },
});

async function found(provider: StateProvider): Promise<(StateItem | StateOmission)[]> {
  const all: (StateItem | StateOmission)[] = [];
  for await (const one of provider.capture(target())) all.push(one);
  return all;
}

async function captured(provider: StateProvider): Promise<StateItem[]> {
  return (await found(provider)).filter((one): one is StateItem => "value" in one);
}

const two = (): StateProvider =>
  jsonState({ keys: { cursor: "cursor.json", dream: "./run/{tenant}-{agent}.json" }, baseDir: temp.path });

describe("jsonState", () => {
  it("captures what is there, and gives it back, clearing what was not", async () => {
    await writeFile(temp.join("cursor.json"), '{"at": 7, "__proto__": {"x": 1}}');
    const items = await captured(two());
    expect(items.map(({ key }) => key)).toEqual(["cursor"]);

    await writeFile(temp.join("cursor.json"), '{"at": 8}');
    await two().restore?.(target(), [{ key: "dream", value: [1, null] }]);
    expect(await readdir(temp.path)).toEqual(["run"]);
    expect(JSON.parse(await readFile(temp.join("run/acme-ana.json"), "utf8"))).toEqual([1, null]);

    await two().restore?.(target(), items);
    await two().restore?.(target(), items);
    expect(JSON.stringify(await captured(two()))).toBe(JSON.stringify(items));
    expect(await readdir(temp.join("run"))).toEqual([]);
  });

  it("does not touch a value that is already right, however it is spelled; keeps mode and owner of one it replaces", async () => {
    await writeFile(temp.join("cursor.json"), '{ "b": 1.0, "a": 2 }\n');
    await chmod(temp.join("cursor.json"), 0o664);
    const { ino } = await stat(temp.join("cursor.json"));
    await two().restore?.(target(), [{ key: "cursor", value: { a: 2, b: 1 } }]);
    expect((await stat(temp.join("cursor.json"))).ino).toBe(ino);
    await two().restore?.(target(), [{ key: "cursor", value: { a: 3 } }]);
    expect((await stat(temp.join("cursor.json"))).mode & 0o7777).toBe(0o664);
  });

  it("replaces a link instead of writing through it", async () => {
    await writeFile(temp.join("precious"), "5");
    await symlink("precious", temp.join("cursor.json"));
    expect(await captured(two())).toEqual([{ key: "cursor", value: 5 }]);
    await two().restore?.(target(), [{ key: "cursor", value: 6 }]);
    expect(await readFile(temp.join("precious"), "utf8")).toBe("5");
    expect(await readFile(temp.join("cursor.json"), "utf8")).toBe("6\n");
  });

  it("names the file of malformed JSON, and nothing of its content", async () => {
    await writeFile(temp.join("cursor.json"), '{"secret": sk-ant-12345');
    await two().restore?.(target(), [{ key: "dream", value: 1 }], { keep: ["cursor"] });
    const all = await found(two());
    const detail = `The state file ${temp.join("cursor.json")} is not valid JSON.`;
    expect(all).toEqual([
      { key: "cursor", omitted: { reason: "damaged", code: "E_STATE_DAMAGED", detail } },
      { key: "dream", value: 1 },
    ]);
    expect(JSON.stringify(all)).not.toContain("sk-ant");
  });

  it("passes over a byte order mark, and replaces what is no JSON", async () => {
    await writeFile(temp.join("cursor.json"), '\uFEFF{"at": 7}');
    expect(await found(two())).toEqual([{ key: "cursor", value: { at: 7 } }]);
    await writeFile(temp.join("cursor.json"), "");
    await two().restore?.(target(), [{ key: "cursor", value: 8 }]);
    expect(await found(two())).toEqual([{ key: "cursor", value: 8 }]);
  });

  it.each([
    "9007199254740993",
    "[12345678901234567890]",
    "1e999",
    "0.1234567890123456789",
    '{"a":-9007199254740993}',
    "1e-400",
  ])("refuses %s, which JSON.parse would change silently", async (text) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow();
    await writeFile(temp.join("cursor.json"), text);
    expect(await found(two())).toMatchObject([
      { key: "cursor", omitted: { reason: "unreadable", code: "E_UNSUPPORTED" } },
    ]);
  });

  it.each(["9007199254740992", "1.50", "1E+2", "-0.0", "1e22", "0.1", '"9007199254740993"', '"\\"1e999"', "5e-324"])(
    "takes %s as it is",
    async (text) => {
      await writeFile(temp.join("cursor.json"), text);
      expect(await captured(two())).toEqual([{ key: "cursor", value: JSON.parse(text) as JsonValue }]);
    },
  );

  it("brings any JSON value back", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const item = { key: "cursor", value: JSON.parse(JSON.stringify(value)) as JsonValue };
        await two().restore?.(target(), [item]);
        expect(await captured(two())).toEqual([item]);
      }),
      { numRuns: 50 },
    );
  });

  it("refuses keys that are none, twice the same file, and values for keys it does not have", async () => {
    expect(() => jsonState({ keys: { "Not a key": "x" } })).toThrow(expect.objectContaining({ code: "E_CONFIG" }));
    expect(() => jsonState({ keys: { a: "x", b: "./x" } })).toThrow(expect.objectContaining({ code: "E_CONFIG" }));
    await expect(two().restore?.(target(), [{ key: "other", value: 1 }])).rejects.toMatchObject({ code: "E_USAGE" });
  });

  it("is a plugin", async () => {
    const [provider] = jsonStatePlugin.providers ?? [];
    expect(provider).toMatchObject({ kind: "state", name: "json-file" });
    const checked = await provider?.options?.["~standard"].validate({ keys: { a: "b" }, other: 1 });
    expect(checked?.issues).toHaveLength(1);
  });
});
