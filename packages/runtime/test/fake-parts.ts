import {
  type AnyProvider,
  type ArtifactSource,
  type BundleStore,
  type Codec,
  codecProvider,
  definePlugin,
  eventProvider,
  KeepsakeError,
  type LockManager,
  lockProvider,
  type Plugin,
  redactionProvider,
  type RedactionPolicy,
  secretRefSchema,
  sourceProvider,
  type StateProvider,
  stateProvider,
  storeProvider,
} from "@keepsake/core";
import { z } from "zod";

/** A source that does nothing, and shows what it was made with. */
export interface FakeSource extends ArtifactSource {
  readonly made: unknown;
}

export function fakeSource(id: string, made: unknown, takes: "own" | "remainder" = "own"): FakeSource {
  const open = async (): Promise<never> => {
    throw new KeepsakeError("E_UNSUPPORTED", "A fake captures nothing.");
  };
  return { id, kind: "fake", takes, made, open };
}

export function fakeStore(id: string, made: unknown): BundleStore & { readonly made: unknown } {
  const none = async (): Promise<never> => {
    throw new KeepsakeError("E_UNSUPPORTED", "A fake stores nothing.");
  };
  return {
    id,
    made,
    capabilities: { durable: false, noOverwrite: "advisory", ranges: false },
    describe: () => `fake ${id}`,
    put: none,
    get: none,
    head: none,
    // eslint-disable-next-line require-yield -- an empty store
    list: async function* () {
      return;
    },
    delete: none,
  };
}

export function fakeCodec(id: string, suffix: `.${string}`, made: unknown): Codec & { readonly made: unknown } {
  return {
    id,
    suffix,
    made,
    encode: (input) => input,
    decode: (input) => input,
    describe: () => ({ backend: "fake" }),
  };
}

const locks: LockManager = {
  acquire: async () => {
    throw new KeepsakeError("E_UNSUPPORTED", "A fake locks nothing.");
  },
};

const word = z.string().regex(/^[a-z]+$/, "only letters");
const policy = (id: string): RedactionPolicy => ({ id, rules: [id], scan: () => [] });
const state = (id: string, keys: readonly string[]): StateProvider => ({
  id,
  keys,
  // eslint-disable-next-line require-yield -- no value
  capture: async function* () {
    return;
  },
});

/** One provider of every kind, under the names of the standard ones. */
export function fakeProviders(): readonly AnyProvider[] {
  return [
    sourceProvider("sqlite", {
      options: z.strictObject({ include: z.array(z.string()).optional(), tag: z.string().optional() }),
      create: (options, _resolver, { id = "sqlite", baseDir }) => fakeSource(id, { ...options, baseDir }),
    }),
    sourceProvider("memdir", {
      options: z.strictObject({ max_file_bytes: z.int().nullable().default(null) }),
      create: (options, _resolver, { id = "memory_files" }) => fakeSource(id, options, "remainder"),
    }),
    stateProvider("json-file", {
      options: z.strictObject({ keys: z.record(z.string(), z.string()) }),
      create: ({ keys }, _resolver, { id = "json_file" }) => state(id, Object.keys(keys)),
    }),
    codecProvider("zstd", {
      options: z.strictObject({ level: z.int().min(1).max(22).default(3) }),
      create: (options) => fakeCodec("zstd", ".zst", options),
    }),
    codecProvider("age", {
      options: z.strictObject({
        recipients: z.array(z.string().startsWith("age1", "not an age recipient")).optional(),
        identity_files: z.array(z.string()).optional(),
        owners_of: z.array(z.string()).optional(),
        passphrase: secretRefSchema.optional(),
      }),
      create: (options) => fakeCodec("age", ".age", options),
    }),
    storeProvider("local-fs", {
      options: z.strictObject({ root: z.string() }),
      create: (options, _resolver, { id = "local" }) => fakeStore(id, options),
    }),
    storeProvider("vault", {
      options: z.strictObject({ token: secretRefSchema, region: word.optional() }),
      create: (options, _resolver, { id = "vault" }) => fakeStore(id, options),
    }),
    lockProvider("local-fs", {
      options: z.strictObject({ lease_secs: z.number() }),
      create: (options) => ({ ...locks, made: options }) as LockManager,
    }),
    redactionProvider("default", { create: () => policy("default") }),
    redactionProvider("words", {
      options: z.strictObject({ words: z.array(word) }),
      create: ({ words }) => policy(words.join("-")),
    }),
    eventProvider("bell", {
      options: z.strictObject({ subject: z.string() }),
      create: ({ subject }) => ({ id: subject, publish: async () => undefined }),
    }),
  ];
}

/** The fake providers and two presets. */
export function fakePlugin(): Plugin {
  return definePlugin({
    name: "fake",
    api: 1,
    version: "9.9.9",
    providers: fakeProviders(),
    presets: {
      directory: { description: "Everything.", sources: [{ use: "sqlite" }, { use: "memdir" }] },
      home: {
        description: "With its own place.",
        sources: [{ use: "memdir" }],
        state: [{ use: "json-file", keys: { cursor: "./cursor.json" } }],
        memory: "~/agents/{tenant}/{agent}",
      },
    },
  });
}
