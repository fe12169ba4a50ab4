import { composePolicies, type JsonObject, type Logger, serviceProvider, storeProvider, token } from "@keepsake/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { KeepsakeOptions } from "../src/config/keepsake-options.js";
import { createKeepsake } from "../src/create-keepsake.js";
import { lineLogger } from "../src/log/stderr-logger.js";
import { failure } from "./failure.js";
import { fakePlugin, fakeStore } from "./fake-parts.js";

const OPTIONS: KeepsakeOptions = { plugins: [fakePlugin()], cwd: "/base", env: { HOME: "/h" } };

afterEach(() => {
  vi.useRealTimers();
});

describe("a Keepsake", () => {
  it("shows its plugins, what is in use of them, and what stores and codecs say of themselves", async () => {
    await using keepsake = await createKeepsake(OPTIONS);
    const [plugin] = await keepsake.plugins();
    expect(plugin).toMatchObject({ name: "fake", version: "9.9.9", api: 1, origin: "program" });
    expect(plugin?.presets.map(({ name }) => name)).toEqual(["directory", "home"]);
    const instances = plugin?.providers.flatMap((provider) => provider.instances);
    expect(instances).toEqual([
      { id: "sqlite" },
      { id: "memdir" },
      { id: "zstd", suffix: ".zst", encrypts: false, describe: { backend: "fake" } },
      {
        id: "primary",
        where: "fake primary",
        capabilities: { durable: false, noOverwrite: "advisory", ranges: false },
      },
      { timeout_secs: 60 },
      { mode: "redact" },
    ]);
  });

  it("refuses options that are none, all at once", async () => {
    const options = { ...OPTIONS, file: "keepsake.yaml", config: "keepsake.yaml", cwd: 5, plugins: {} };
    const error = await failure(createKeepsake(options as unknown as KeepsakeOptions));
    expect(error).toMatchObject({ code: "E_CONFIG" });
    const { problems } = error.context as { problems: { path: string }[] };
    expect(problems.map(({ path }) => path).sort()).toEqual(["config", "cwd", "file", "plugins"]);
    expect(await failure(createKeepsake(null as unknown as KeepsakeOptions))).toMatchObject({ code: "E_CONFIG" });
  });

  it("closes everything, also when making it fails half-way", async () => {
    const closed: string[] = [];
    const closing = (name: string) => ({ [Symbol.asyncDispose]: async () => void closed.push(name) });
    const service = serviceProvider(token<object>("s"), { create: () => closing("service") });
    const store = storeProvider("disk", {
      needs: [token("s")],
      create: () => Object.assign(fakeStore("disk", 1), closing("store")),
    });
    const plugins = [
      fakePlugin(),
      {
        name: "p",
        api: 1,
        providers: [
          service,
          store,
          storeProvider("bad", {
            create: () => {
              throw new Error("no");
            },
          }),
        ],
      },
    ];
    const stores = { primary: { use: "disk" } };
    const keepsake = await createKeepsake({ ...OPTIONS, plugins, config: { stores } });
    await keepsake[Symbol.asyncDispose]();
    await keepsake[Symbol.asyncDispose]();
    expect(closed).toEqual(["store", "service"]);
    const half = { stores: { ...stores, second: { use: "bad" } } };
    expect((await failure(createKeepsake({ ...OPTIONS, plugins, config: half }))).code).toBe("E_PLUGIN_FAILED");
    expect(closed).toEqual(["store", "service", "store", "service"]);
    await expect(keepsake.list({})).rejects.toMatchObject({ code: "E_USAGE" });
    expect(() => keepsake.scheduleRetention()).toThrow("closed");
  });

  it("prunes at every interval, one sweep at a time, until it is told to stop", async () => {
    vi.useFakeTimers();
    const warned: string[] = [];
    const logger: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => void warned.push(message),
      error: () => undefined,
    };
    await using keepsake = await createKeepsake({ ...OPTIONS, logger, config: { retention: { interval_secs: 10 } } });
    let sweeps = 0;
    let finish: (error?: Error) => void = () => undefined;
    Object.assign(keepsake, {
      prune: () =>
        new Promise((resolve, reject) => {
          sweeps++;
          finish = (error) => (error ? reject(error) : resolve({ kept: [], deleted: [], reasons: {} }));
        }),
    });
    const stop = new AbortController();
    keepsake.scheduleRetention(stop.signal);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(sweeps).toBe(0);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(sweeps).toBe(1);
    finish(new Error("locked"));
    await vi.advanceTimersByTimeAsync(10_000);
    expect([sweeps, warned]).toEqual([2, ["The retention sweep failed."]]);
    finish();
    stop.abort();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sweeps).toBe(2);
  });

  it("prints a schema with the options of its plugins", async () => {
    await using keepsake = await createKeepsake(OPTIONS);
    const schema = keepsake.configSchema();
    const definitions = schema["$defs"] as Record<string, JsonObject>;
    const uses = (name: string): unknown =>
      (definitions[name]?.["oneOf"] as readonly { properties: { use: { const: string } } }[]).map(
        (variant) => variant.properties.use.const,
      );
    expect(uses("source")).toEqual(["sqlite", "memdir"]);
    expect(uses("codec")).toEqual(["zstd", "age"]);
    const [sqlite] = definitions["source"]?.["oneOf"] as readonly JsonObject[];
    expect(sqlite).toMatchObject({ required: ["use"], additionalProperties: false });
    expect(Object.keys(sqlite?.["properties"] as object).sort()).toEqual(["id", "include", "tag", "use"]);
    const { sources, preset } = schema["properties"] as Record<string, JsonObject>;
    expect(sources?.["items"]).toEqual({ $ref: "#/$defs/source" });
    expect(preset?.["enum"]).toEqual(["directory", "home"]);
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });
});

describe("the log", () => {
  it("writes from its level on, as text or as one object a line", () => {
    const lines: string[] = [];
    const clock = { now: () => 0 };
    const write = (line: string): void => void lines.push(line);
    const text = lineLogger({ level: "warn", format: "text", clock, write });
    text.info("hidden");
    text.warn("shown", { path: "a/b", text: "two words\n", n: 1 });
    lineLogger({ level: "debug", format: "json", clock, write }).debug("two\nlines", { level: "forged", n: 1 });
    lineLogger({ level: "silent", format: "json", clock, write }).error("never");
    expect(lines).toEqual([
      '1970-01-01T00:00:00.000Z warn  shown path=a/b text="two words\\n" n=1\n',
      '{"level":"debug","n":1,"time":"1970-01-01T00:00:00.000Z","message":"two\\nlines"}\n',
    ]);
  });
});

describe("several redaction policies", () => {
  const finder = (id: string, pattern: RegExp) => ({
    id,
    rules: [id],
    scan: (text: string) =>
      [...text.matchAll(pattern)].map((match) => ({
        start: match.index,
        end: match.index + match[0].length,
        rule: id,
      })),
  });
  it("find what any of them finds, and leave no part of a secret between them", () => {
    const both = composePolicies([finder("ab", /ab+/g), finder("bc", /b+c+/g), finder("z", /z/g)]);
    expect([both.id, both.rules]).toEqual(["ab+bc+z", ["ab", "bc", "z"]]);
    expect(both.scan("z abbcc ab", { path: "p" })).toEqual([
      { start: 0, end: 1, rule: "z" },
      { start: 2, end: 7, rule: "bc" },
      { start: 8, end: 10, rule: "ab" },
    ]);
    expect(composePolicies([]).scan("abc", { path: "p" })).toEqual([]);
    const one = finder("one", /x/g);
    expect(composePolicies([one])).toBe(one);
  });
});
