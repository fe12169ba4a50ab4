import { type AgentRef, parseAgentId, parseTenantId, type Plugin } from "@keepsake/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { loadConfig } from "../src/config/load-config.js";
import { assembleKeepsake } from "../src/create-keepsake.js";
import { ConfiguredWorkspace } from "../src/workspace/configured-workspace.js";
import { fakePlugin } from "./fake-parts.js";

/** Paths of all leaves that were read, through a view of `value` that notes every reading. */
function recorded<T extends object>(value: T, read: Set<string>, path = ""): T {
  return new Proxy(value, {
    get(target, key) {
      const item = Reflect.get(target, key) as unknown;
      if (typeof key !== "string" || !Object.hasOwn(target, key)) return item;
      const at = path === "" ? key : `${path}.${key}`;
      if (typeof item === "object" && item !== null) return recorded(item, read, at);
      read.add(at);
      return item;
    },
  });
}

function leavesOf(value: unknown, path = ""): readonly string[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, item]) => leavesOf(item, path === "" ? key : `${path}.${key}`));
}

/** Every key there is, with a value of its own. */
const FULL = {
  version: 1 as const,
  state_root: "./root",
  plugins: [] as Plugin[],
  agents: {
    "*": { memory: "/m/{agent}" },
    ana: {
      memory: "/srv/ana",
      preset: "home",
      sources: [{ use: "sqlite", id: "db", include: ["*.db"] }],
      state: [{ use: "json-file", id: "run", keys: { cursor: "c.json" } }],
      codecs: [{ use: "zstd", level: 4 }],
      stores: { primary: { use: "local-fs", root: "/a" } },
    },
  },
  preset: "directory",
  sources: [{ use: "memdir", max_file_bytes: 4 }],
  state: [{ use: "json-file", keys: { cursor: "c.json" } }],
  cut: { attempts: 2, hold_timeout_ms: 3, allow: "fenced" as const },
  redaction: {
    ...{ default: true, require_clean: true, mode: "warn" as const },
    policies: ["default", { use: "words", mode: "block" as const, words: ["a"] }],
  },
  codecs: [{ use: "zstd", level: 5 }],
  encryption: { use: "age", enabled: true, recipients: ["age1x"], identity_file: "i.txt", private_labels: true },
  stores: { primary: { use: "local-fs", root: "/p" }, second: { use: "vault", token: { env: "T" } } },
  lock: { use: "local-fs", timeout_secs: 5, lease_secs: 6 },
  snapshot: { verify_after: "stored" as const, full_read_every: 3, skip_unchanged: true },
  restore: { pre_snapshot: false, verify_after: "restorable" as const },
  limits: { max_manifest_bytes: 2048, max_bundle_bytes: 4096 },
  retention: {
    ...{ keep_count: 1, max_age_days: 2, interval_secs: 3 },
    ...{ keep_hourly: 4, keep_daily: 5, keep_weekly: 6, keep_monthly: 7, keep_yearly: 8 },
  },
  events: { publishers: [{ use: "bell", id: "b", subject: "s" }] },
  log: { level: "warn" as const, format: "json" as const },
};

/**
 * Read before there is a resolved configuration (`plugins`), by the schema itself because there is one value alone
 * (whose other values config.test.ts shows to be refused), or only where something else does not stand instead of it.
 */
const ELSEWHERE = ["version", "preset", "agents.ana.preset"];

describe("every key of the configuration", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is in the full example of this test", async () => {
    const { configShape } = await import("../src/config/schema.js");
    expect(Object.keys(FULL).sort()).toEqual(Object.keys(configShape.shape).sort());
    for (const section of [
      "cut",
      "redaction",
      "restore",
      "limits",
      "retention",
      "log",
      "encryption",
      "lock",
    ] as const) {
      const inner = configShape.shape[section].unwrap();
      expect(Object.keys(FULL[section]).sort(), section).toEqual(Object.keys(inner.shape).sort());
    }
  });

  it("is read by something", async () => {
    const env = { HOME: "/h" };
    const loaded = await loadConfig({ source: FULL, plugins: [fakePlugin()], cwd: "/base", env, timeoutMs: 5000 });
    const read = new Set<string>();
    const watched = { ...loaded, config: recorded(loaded.config, read) };
    const open = vi.spyOn(ConfiguredWorkspace, "open");
    await using keepsake = await assembleKeepsake(watched, { cwd: "/", env, pluginTimeoutMs: 5000 });
    const workspace = await (open.mock.results[0]?.value as Promise<ConfiguredWorkspace>);
    const unread = (): readonly string[] =>
      leavesOf(loaded.config).filter((leaf) => !read.has(leaf) && !ELSEWHERE.includes(leaf));
    // Without use there is something left: the watching works.
    expect(unread()).toContain("cut.attempts");
    const refs = ["ana", "bob"].map(
      (agent): AgentRef => ({ tenant: parseTenantId("default"), agent: parseAgentId(agent) }),
    );
    for (const ref of refs) {
      await workspace.profile(ref);
      await workspace.encoders(ref, {});
    }
    await workspace.decoders("x.tar.zst.age", []);
    keepsake.scheduleRetention();
    expect(unread()).toEqual([]);
  });
});
