import type { Plugin } from "@keepsake/core";
import { z } from "zod";

const name = z.string().min(1);
const verifyAfter = z.enum(["none", "stored", "restorable"]);
const seconds = z.number().nonnegative();
const count = z.int().nonnegative();
/** setInterval takes at most 2^31 - 1 milliseconds; with more it fires at once, again and again. */
const MAX_TIMER_SECS = 2_147_483;

/** The folder name of a source or state provider in the bundle. */
const instanceId = z
  .string()
  .regex(/^[a-z0-9_]{1,64}$/, "an id is 1 to 64 of [a-z0-9_]")
  .refine((id) => id !== "state", 'the id "state" is taken by the state values');

// Their further keys are the provider's options, which its own schema checks. The ids name the places in the printed
// JSON Schema where those options are composed in.
const sourceEntry = z.looseObject({ use: name, id: instanceId.optional() }).meta({ id: "source" });
const stateEntry = z.looseObject({ use: name, id: instanceId.optional() }).meta({ id: "state" });
const codecEntry = z.looseObject({ use: name }).meta({ id: "codec" });
const storeEntry = z.looseObject({ use: name }).meta({ id: "store" });
const redactionMode = z.enum(["redact", "block", "warn"]);
const policyEntry = z.looseObject({ use: name, mode: redactionMode.optional() }).meta({ id: "redaction" });
const publisherEntry = z.looseObject({ use: name, id: name.optional() }).meta({ id: "events" });

const overridable = {
  preset: name.optional(),
  sources: z.array(sourceEntry).min(1).optional(),
  state: z.array(stateEntry).optional(),
};

const agentEntry = z.strictObject({
  memory: name.optional(),
  ...overridable,
  codecs: z.array(codecEntry).optional(),
  stores: z.record(name, storeEntry).optional(),
});

const pluginEntry = z.union([name, z.custom<Plugin>((value) => typeof value === "object" && value !== null)], {
  error: "expected a package name, a path that begins with a dot, or in a program the plugin itself",
});

const policies = z.array(
  z.union([name, policyEntry], { error: "expected the name of a redaction policy, or an object with `use`" }),
);

/** The codec that encrypts where nothing else is said. */
export const DEFAULT_ENCRYPTION = "age";

/** Every key of the configuration with its type and default. The keys are those of the file: snake_case. */
export const configShape = z.strictObject({
  version: z.literal(1, { error: "this program reads configuration version 1" }).default(1),
  state_root: name.optional(),
  plugins: z.array(pluginEntry).default([]),
  agents: z.record(z.string(), agentEntry).default({}),
  ...overridable,
  preset: name.default("directory"),
  cut: z
    .strictObject({
      attempts: z.int().min(1).max(1000).default(5),
      hold_timeout_ms: z.int().min(1).max(600_000).default(250),
      allow: z.enum(["instant", "fenced", "best_effort"]).default("instant"),
    })
    .prefault({}),
  redaction: z
    .strictObject({
      default: z.boolean().default(true),
      policies: policies.default(["default"]),
      mode: redactionMode.default("redact"),
      require_clean: z.boolean().default(false),
    })
    .prefault({}),
  codecs: z.array(codecEntry).default([{ use: "zstd", level: 3 }]),
  encryption: z
    .looseObject({
      use: name.default(DEFAULT_ENCRYPTION),
      enabled: z.boolean().default(false),
      recipients: z.array(name).default([]),
      identity_file: name.nullable().default(null),
      private_labels: z.boolean().default(false),
    })
    .meta({ id: "encryption" })
    .prefault({}),
  stores: z.record(name, storeEntry).optional(),
  lock: z
    .looseObject({
      use: name.default("local-fs"),
      timeout_secs: seconds.max(MAX_TIMER_SECS).default(60),
      lease_secs: z.number().min(1).max(MAX_TIMER_SECS).default(60),
    })
    .meta({ id: "lock" })
    .prefault({}),
  snapshot: z
    .strictObject({
      verify_after: verifyAfter.default("none"),
      full_read_every: z.int().min(1).default(10),
      skip_unchanged: z.boolean().default(false),
    })
    .prefault({}),
  restore: z
    .strictObject({
      pre_snapshot: z.boolean().default(true),
      verify_after: verifyAfter.default("stored"),
    })
    .prefault({}),
  limits: z
    .strictObject({
      max_manifest_bytes: z.int().min(1024).default(67_108_864),
      max_bundle_bytes: z.int().min(1024).nullable().default(null),
    })
    .prefault({}),
  retention: z
    .strictObject({
      keep_count: count.nullable().default(30),
      max_age_days: z.number().nonnegative().nullable().default(90),
      interval_secs: z.number().min(1).max(MAX_TIMER_SECS).default(3600),
      keep_hourly: count.optional(),
      keep_daily: count.optional(),
      keep_weekly: count.optional(),
      keep_monthly: count.optional(),
      keep_yearly: count.optional(),
    })
    .prefault({}),
  events: z.strictObject({ publishers: z.array(publisherEntry).default([]) }).prefault({}),
  log: z
    .strictObject({
      level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
      format: z.enum(["text", "json"]).default("text"),
    })
    .prefault({}),
});

/** A configuration as a user writes it; every key is optional. */
export type KeepsakeConfigInput = z.input<typeof configShape>;

type Parsed = z.output<typeof configShape>;

/** An entry that names a provider; further keys are its options. */
export type UseEntry = Readonly<Record<string, unknown>> & { readonly use: string; readonly id?: string | undefined };

/** What an agent's own entry, or the template `"*"`, says. */
export type AgentEntry = Parsed["agents"][string];

/** A checked configuration with all defaults filled in. */
export interface ResolvedConfig extends Omit<Parsed, "state_root" | "stores" | "plugins"> {
  /** absolute path */
  readonly state_root: string;
  readonly stores: Readonly<Record<string, UseEntry>>;
  /** what was named; plugins handed over as objects by their names */
  readonly plugins: readonly string[];
}

/** Gives a configuration in a program its type; does nothing else. The default export of `keepsake.config.mjs`. */
export function defineConfig(config: KeepsakeConfigInput): KeepsakeConfigInput {
  return config;
}
