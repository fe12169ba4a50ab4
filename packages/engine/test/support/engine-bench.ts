import "reflect-metadata";
import {
  type AgentPaths,
  type BundleStore,
  type Codec,
  KeepsakeError,
  parseAgentId,
  parseTenantId,
  type RedactionPolicy,
  SILENT_LOGGER,
  type StateProvider,
} from "@keepsake/core";
import { type MemoryLocks, memoryLocks, memoryStore, type TempDir, tempDir } from "@keepsake/testkit";
// A bench is a runtime of its own: each gets a child container.
// eslint-disable-next-line no-restricted-imports -- the one place of the tests
import { container } from "tsyringe";
import type { AgentProfile, MemorySnapshotter, Workspace } from "../../src/index.js";
import { createSnapshotter } from "../../src/create-snapshotter.js";
import { folderSource, type FolderSource } from "./folder-source.js";

export const ANA = { tenant: parseTenantId("default"), agent: parseAgentId("ana") };

/** What a test decides about its engine; the rest is plain. */
export interface BenchOptions {
  readonly store?: BundleStore;
  /** default: one folder of notes */
  readonly sources?: readonly FolderSource[];
  readonly state?: readonly StateProvider[];
  readonly encoders?: (request: { readonly recipients?: readonly string[] | undefined }) => readonly Codec[];
  readonly decoders?: (fileName: string) => readonly Codec[];
  readonly profile?: Partial<AgentProfile>;
  readonly nowMs?: () => number;
}

/** The engine over a store in memory, locks in memory, and sources that are folders. */
export interface EngineBench extends AsyncDisposable {
  readonly dir: TempDir;
  readonly memory: string;
  readonly stateRoot: string;
  readonly store: BundleStore;
  readonly locks: MemoryLocks;
  readonly snapshotter: MemorySnapshotter;
}

export const WORD_POLICY: RedactionPolicy = {
  id: "words",
  rules: ["word"],
  scan: (text) =>
    [...text.matchAll(/hunter2/g)].map(({ index }) => ({ start: index, end: index + "hunter2".length, rule: "word" })),
};

export async function engineBench(options: BenchOptions = {}): Promise<EngineBench> {
  const dir = await tempDir();
  const { store = memoryStore(), sources = [folderSource("notes")], state = [], nowMs = Date.now } = options;
  const memory = dir.join("memory");
  const stateRoot = dir.join("state");
  const locks = memoryLocks();
  const profileOf = (paths: AgentPaths): AgentProfile => ({
    ref: ANA,
    paths,
    sources,
    state,
    store,
    redaction: { byDefault: false, policies: async () => ({ policy: WORD_POLICY }) },
    encryption: { byDefault: false, privateLabels: false },
    cut: { attempts: 2, holdTimeoutMs: 100, allow: "instant" },
    lock: { timeoutMs: 0 },
    snapshot: { verifyAfter: "none", fullReadEvery: 10, skipUnchanged: false },
    restore: { preSnapshot: true, verifyAfter: "stored" },
    limits: { maxManifestBytes: 1 << 20, maxBundleBytes: Number.MAX_SAFE_INTEGER },
    retention: {},
    ...options.profile,
  });
  const workspace: Workspace = {
    stateRoot,
    locks,
    publishers: [],
    stores: [store],
    profile: async (ref, path = memory) => ({ ...profileOf({ memory: path }), ref }),
    storeOf: async (ref) => ({ ...profileOf({ memory }), ref }),
    interpretersOf: async () => profileOf({ memory }),
    encoders: async (_ref, request) => options.encoders?.(request) ?? [],
    decoders: async (fileName) => options.decoders?.(fileName) ?? plain(fileName),
  };
  const parts = { logger: SILENT_LOGGER, clock: { now: nowMs } };
  const snapshotter = createSnapshotter(container.createChildContainer(), workspace, parts);
  const dispose = () => dir[Symbol.asyncDispose]();
  return { dir, memory, stateRoot, store, locks, snapshotter, [Symbol.asyncDispose]: dispose };
}

function plain(fileName: string): readonly Codec[] {
  if (fileName.endsWith(".tar")) return [];
  throw new KeepsakeError("E_UNSUPPORTED", `No codec reads ${fileName}.`);
}
