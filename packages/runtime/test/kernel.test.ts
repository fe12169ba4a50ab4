import "reflect-metadata";
import { setTimeout as delay } from "node:timers/promises";
import {
  type AnyProvider,
  CLOCK,
  type Clock,
  codecProvider,
  definePlugin,
  KeepsakeError,
  type Plugin,
  type ProviderContext,
  serviceProvider,
  SYSTEM_CLOCK,
  storeProvider,
  type Token,
  token,
} from "@keepsake/core";
// eslint-disable-next-line no-restricted-imports -- to show that it stays as it was
import { container as globalContainer } from "tsyringe";
import { describe, expect, it } from "vitest";
import { Kernel } from "../src/kernel/kernel.js";
import { PluginRegistry } from "../src/plugins/registry.js";
import { failure } from "./failure.js";
import { fakeCodec, fakeStore } from "./fake-parts.js";

const CONTEXT: ProviderContext = { id: undefined, baseDir: "/" };
const never = (): Promise<never> => new Promise(() => undefined);

const plugin = (name: string, ...providers: readonly AnyProvider[]): Plugin =>
  definePlugin({ name, api: 1, providers });

function start(plugins: readonly Plugin[], timeoutMs = 5000): Promise<Kernel> {
  const registry = new PluginRegistry(plugins.map((entry) => ({ plugin: entry, origin: `${entry.name}.mjs` })));
  return Kernel.start({ registry, builtIns: [{ token: CLOCK, value: SYSTEM_CLOCK }], timeoutMs, baseDir: "/" });
}

/** A service that notes when it is made and disposed. */
function noted(log: string[], key: string, needs: readonly string[] = [], dispose?: () => unknown): AnyProvider {
  return serviceProvider(token<AsyncDisposable>(key), {
    needs: needs.map((need) => token(need)),
    create: async () => {
      log.push(`made ${key}`);
      return {
        [Symbol.asyncDispose]: async () => {
          log.push(`closed ${key}`);
          await dispose?.();
        },
      };
    },
  });
}

describe("services", () => {
  it("are made after what they need, and closed in reverse order", async () => {
    const log: string[] = [];
    const kernel = await start([
      plugin("a", noted(log, "top", ["middle", "base"]), noted(log, "middle", ["base"])),
      plugin("b", noted(log, "base")),
    ]);
    await kernel[Symbol.asyncDispose]();
    await kernel[Symbol.asyncDispose]();
    expect(log).toEqual(["made base", "made middle", "made top", "closed top", "closed middle", "closed base"]);
  });

  it("that are asynchronous are ready values for those that need them", async () => {
    const DB: Token<{ readonly name: string }> = token("acme/db");
    const seen: string[] = [];
    await using kernel = await start([
      plugin(
        "acme",
        codecProvider("late", {
          needs: [DB],
          create: (_options, resolver) => {
            seen.push(resolver.get(DB).name);
            return fakeCodec("late", ".late", undefined);
          },
        }),
        serviceProvider(DB, {
          create: async () => {
            await delay(1);
            return { name: "ready" };
          },
        }),
      ),
    ]);
    await kernel.make("codec", "late", {}, CONTEXT);
    expect(seen).toEqual(["ready"]);
  });

  it("in a circle are refused with its path", async () => {
    const log: string[] = [];
    const circle = plugin(
      "p",
      noted(log, "free"),
      noted(log, "a", ["b"]),
      noted(log, "b", ["c"]),
      noted(log, "c", ["b"]),
    );
    const error = await failure(start([circle]));
    expect([error.code, error.context["cycle"]]).toEqual(["E_PLUGIN_CYCLE", ["b", "c", "b"]]);
    expect(error.message).toContain("b → c → b");
    expect(log).toEqual([]);
    const self = await failure(start([plugin("p", noted(log, "a", ["a"]))]));
    expect(self.message).toContain("a → a");
  });

  it("that nobody provides are told with who needs them", async () => {
    const error = await failure(start([plugin("p", noted([], "a", ["lost"]))]));
    expect([error.code, error.context]).toEqual(["E_PLUGIN_UNKNOWN", { plugin: "p", token: "lost" }]);
  });

  it("that are made of nothing are refused", async () => {
    for (const nothing of [undefined, null]) {
      const error = await failure(start([plugin("p", serviceProvider(token("x"), { create: () => nothing }))]));
      expect([error.code, error.context["plugin"]]).toEqual(["E_PLUGIN_FAILED", "p"]);
    }
    await using kernel = await start([plugin("p", serviceProvider(token("zero"), { create: () => 0 }))]);
    expect(kernel.container.resolve("zero")).toBe(0);
  });

  it("already made are closed when a later one fails", async () => {
    const log: string[] = [];
    const bad = serviceProvider(token("bad"), {
      needs: [token("a")],
      create: () => {
        throw new RangeError("on purpose");
      },
    });
    const error = await failure(start([plugin("p", bad, noted(log, "a"))]));
    expect(error.code).toBe("E_PLUGIN_FAILED");
    expect(log).toEqual(["made a", "closed a"]);
  });
});

describe("duplicates", () => {
  const codec = (): AnyProvider => codecProvider("same", { create: () => fakeCodec("same", ".same", undefined) });
  it("are refused with the names of both plugins", async () => {
    const CASES: readonly (readonly Plugin[])[] = [
      [plugin("first", codec()), plugin("second", codec())],
      [plugin("first", noted([], "same")), plugin("second", noted([], "same"))],
      [
        { ...plugin("first"), presets: { same: { description: "", sources: [] } } },
        { ...plugin("second"), presets: { same: { description: "", sources: [] } } },
      ],
    ];
    for (const plugins of CASES) {
      const error = await failure((async () => start(plugins))());
      expect([error.code, error.context]).toEqual(["E_PLUGIN_DUPLICATE", { first: "first", second: "second" }]);
    }
  });

  it("of a plugin, and of a built-in value, are refused", async () => {
    const registry = () =>
      new PluginRegistry([
        { plugin: plugin("p"), origin: "one.mjs" },
        { plugin: plugin("p"), origin: "two.mjs" },
      ]);
    expect(registry).toThrow(/from one\.mjs and from two\.mjs/);
    const error = await failure(start([plugin("p", noted([], CLOCK.key))]));
    expect([error.code, error.context["plugin"]]).toEqual(["E_PLUGIN_DUPLICATE", "p"]);
  });
});

describe("a plugin that fails", () => {
  const throwing = (thrown: unknown): readonly Plugin[] => [
    plugin("acme", codecProvider("bad", { create: () => Promise.reject(thrown as Error) })),
  ];

  it("keeps its error as the cause", async () => {
    class AcmeError extends Error {
      readonly code = "ACME_1";
    }
    const thrown = new AcmeError("no route", { cause: new Error("deeper") });
    await using kernel = await start(throwing(thrown));
    const error = await failure(kernel.make("codec", "bad", {}, CONTEXT));
    expect([error.code, error.context]).toEqual(["E_PLUGIN_FAILED", { plugin: "acme", part: "codec provider bad" }]);
    expect(error.cause).toBe(thrown);
    expect(error.message).toContain("no route");
  });

  it("keeps its KeepsakeError, with its own name added", async () => {
    const thrown = new KeepsakeError("E_CONFIG", "The bucket is missing.", {
      context: { bucket: "b" },
      cause: new Error("x"),
    });
    await using kernel = await start(throwing(thrown));
    const error = await failure(kernel.make("codec", "bad", {}, CONTEXT));
    expect(error).toBe(thrown);
    expect(error.context).toEqual({ bucket: "b", plugin: "acme" });
    await using frozen = await start(throwing(Object.freeze(new KeepsakeError("E_IO", "Frozen."))));
    expect((await failure(frozen.make("codec", "bad", {}, CONTEXT))).code).toBe("E_IO");
  });

  it("may throw anything, and in its schema too", async () => {
    await using kernel = await start(throwing("a string"));
    expect((await failure(kernel.make("codec", "bad", {}, CONTEXT))).cause).toBe("a string");
    const options = {
      "~standard": { version: 1 as const, vendor: "acme", validate: () => Promise.reject(new Error("schema")) },
    };
    await using other = await start([
      plugin("acme", codecProvider("bad", { options, create: () => fakeCodec("x", ".x", 1) })),
    ]);
    expect((await failure(other.make("codec", "bad", {}, CONTEXT))).message).toContain("schema");
  });

  it("may succeed the next time", async () => {
    let calls = 0;
    const flaky = codecProvider("flaky", {
      create: () => {
        if (calls++ === 0) throw new Error("once");
        return fakeCodec("flaky", ".f", undefined);
      },
    });
    await using kernel = await start([plugin("p", flaky)]);
    await failure(kernel.make("codec", "flaky", {}, CONTEXT));
    expect((await kernel.make("codec", "flaky", {}, CONTEXT)).id).toBe("flaky");
  });

  it("may ask only for what it declared", async () => {
    const OTHER: Token<string> = token("other");
    const sneaky = codecProvider("sneaky", {
      create: (_o, resolver) => fakeCodec(resolver.get(OTHER), ".s", undefined),
    });
    await using kernel = await start([plugin("p", sneaky, serviceProvider(OTHER, { create: () => "value" }))]);
    const error = await failure(kernel.make("codec", "sneaky", {}, CONTEXT));
    expect([error.code, error.context]).toEqual(["E_PLUGIN_FAILED", { plugin: "p", token: "other" }]);
  });

  it("reaches no registration of the global container", async () => {
    const LEAKED: Token<string> = token("other-library/value");
    globalContainer.registerInstance(LEAKED.key, "theirs");
    const sneaky = codecProvider("sneaky", { needs: [LEAKED], create: () => fakeCodec("s", ".s", undefined) });
    const error = await failure(start([plugin("p", sneaky)]));
    globalContainer.reset();
    expect(error.code).toBe("E_PLUGIN_UNKNOWN");
  });
});

describe("a plugin that hangs", () => {
  it("is named when its time is over, and what comes late is closed", async () => {
    let arrive: (() => void) | undefined;
    let closed: (() => void) | undefined;
    const wasClosed = new Promise<void>((resolve) => (closed = resolve));
    const slow = codecProvider("slow", {
      create: () =>
        new Promise((resolve) => {
          arrive = () => resolve(Object.assign(fakeCodec("slow", ".s", 1), { [Symbol.dispose]: () => closed?.() }));
        }),
    });
    await using kernel = await start([plugin("acme", slow)], 20);
    const error = await failure(kernel.make("codec", "slow", {}, CONTEXT));
    expect([error.code, error.context]).toEqual([
      "E_PLUGIN_TIMEOUT",
      { plugin: "acme", part: "codec provider slow", timeout_ms: 20 },
    ]);
    arrive?.();
    await wasClosed;
  });

  it("while it closes does not keep the others from being closed", async () => {
    const log: string[] = [];
    const kernel = await start([plugin("p", noted(log, "a"), noted(log, "b", [], never), noted(log, "c"))], 20);
    const error = await failure(kernel[Symbol.asyncDispose]());
    expect([error.code, error.context["timeout_ms"]]).toEqual(["E_PLUGIN_TIMEOUT", 20]);
    expect(log.slice(3)).toEqual(["closed c", "closed b", "closed a"]);
  });
});

describe("closing", () => {
  it("goes on when parts throw, and tells of all their errors", async () => {
    const log: string[] = [];
    const [first, second] = [new Error("first"), new Error("second")];
    const throws = (error: Error) => () => {
      throw error;
    };
    const kernel = await start([
      plugin("p", noted(log, "a", [], throws(first)), noted(log, "b"), noted(log, "c", [], throws(second))),
    ]);
    const error = await failure(kernel[Symbol.asyncDispose]());
    expect(log.slice(3)).toEqual(["closed c", "closed b", "closed a"]);
    expect(error.code).toBe("E_PLUGIN_FAILED");
    expect((error.cause as AggregateError).errors).toEqual([second, first]);
  });

  it("closes one object once, though two providers gave it out", async () => {
    let times = 0;
    const shared = Object.assign(fakeCodec("s", ".s", 1), { [Symbol.dispose]: () => times++ });
    const kernel = await start([
      plugin("p", codecProvider("one", { create: () => shared }), codecProvider("two", { create: () => shared })),
    ]);
    await kernel.make("codec", "one", {}, CONTEXT);
    await kernel.make("codec", "two", {}, CONTEXT);
    await kernel[Symbol.asyncDispose]();
    expect(times).toBe(1);
  });

  it("ends the making", async () => {
    const kernel = await start([plugin("p", codecProvider("c", { create: () => fakeCodec("c", ".c", 1) }))]);
    await kernel[Symbol.asyncDispose]();
    await expect(kernel.make("codec", "c", {}, CONTEXT)).rejects.toThrow(TypeError);
  });

  it("closes also what was being made meanwhile", async () => {
    const { promise, resolve } = withResolvers();
    let closed = false;
    const codec = Object.assign(fakeCodec("c", ".c", 1), { [Symbol.dispose]: () => (closed = true) });
    const slow = codecProvider("c", { create: () => promise.then(() => codec) });
    const kernel = await start([plugin("p", slow)]);
    const making = kernel.make("codec", "c", {}, CONTEXT);
    const refused = expect(making).rejects.toThrow(TypeError);
    // Only what is being made when the kernel closes counts: the options are checked before.
    await delay(0);
    await kernel[Symbol.asyncDispose]();
    resolve();
    await refused;
    expect(closed).toBe(true);
  });
});

describe("instances", () => {
  it("are shared by equal requests, also at the same time", async () => {
    let made = 0;
    const codec = codecProvider("c", {
      create: async () => {
        made++;
        return fakeCodec("c", ".c", made);
      },
    });
    await using kernel = await start([plugin("p", codec)]);
    const [a, b] = await Promise.all([kernel.make("codec", "c", {}, CONTEXT), kernel.make("codec", "c", {}, CONTEXT)]);
    expect(a).toBe(b);
    expect(await kernel.make("codec", "c", {}, { ...CONTEXT, id: "other" })).not.toBe(a);
    expect(await kernel.make("codec", "c", {}, CONTEXT, { shared: false })).not.toBe(a);
    expect(made).toBe(3);
  });

  it("that lack what their port asks for are refused by what is missing, before anything calls them", async () => {
    const { describe: _describe, list: _list, ...half } = fakeStore("s", 1);
    await using kernel = await start([plugin("p", storeProvider("s", { create: () => half as never }))]);
    const error = await failure(kernel.make("store", "s", {}, CONTEXT));
    expect([error.code, error.context]).toEqual([
      "E_PLUGIN_FAILED",
      { plugin: "p", part: "store provider s", missing: ["describe (function)", "list (function)"] },
    ]);
    const none = await start([plugin("p", storeProvider("s", { create: () => undefined as never }))]);
    expect((await failure(none.make("store", "s", {}, CONTEXT))).code).toBe("E_PLUGIN_FAILED");
    await none[Symbol.asyncDispose]();
  });

  it("of an unknown name are refused with the known ones", async () => {
    await using kernel = await start([plugin("p", codecProvider("c", { create: () => fakeCodec("c", ".c", 1) }))]);
    const error = await failure(kernel.make("codec", "d", {}, CONTEXT));
    expect([error.code, error.context]).toEqual(["E_PLUGIN_UNKNOWN", { kind: "codec", name: "d", known: ["c"] }]);
  });
});

describe("the container", () => {
  it("is a child of its own: the global one stays as it was, and two do not share", async () => {
    const KEY: Token<{ readonly n: number }> = token("acme/number");
    const service = (n: number): Plugin => plugin("p", serviceProvider(KEY, { create: () => ({ n }) }));
    const before = registrations();
    await using one = await start([service(1)]);
    await using two = await start([service(2)]);
    expect([one.container.resolve(KEY.key), two.container.resolve(KEY.key)]).toEqual([{ n: 1 }, { n: 2 }]);
    expect(registrations()).toBe(before);
    expect(globalContainer.isRegistered(KEY.key)).toBe(false);
    expect(globalContainer.isRegistered(CLOCK.key)).toBe(false);
    expect(one.container.resolve<Clock>(CLOCK.key)).toBe(SYSTEM_CLOCK);
  });
});

/** How many tokens the global container knows; it offers no way to ask. */
function registrations(): number {
  const { _registry } = globalContainer as unknown as { _registry: { _registryMap: Map<unknown, unknown> } };
  return _registry._registryMap.size;
}

/** `Promise.withResolvers` of later Node versions. */
function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
