import { createReadStream, createWriteStream } from "node:fs";
import { link, lstat, mkdir, mkdtemp, readdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type AgentRef,
  type ArtifactMeta,
  type ArtifactSource,
  type BundleEntry,
  type ByteStream,
  type CaptureSession,
  digestOf,
  type FileContent,
  type Omission,
  parseAgentId,
  parseTenantId,
  type RestorePlan,
  type RestoreSelection,
  type RestoreSession,
  sha256Hex,
  streamOf,
  type SourceEntry,
  type WatchedPlace,
} from "@keepsake/core";
import { unpackedCopy } from "../../unpacked-copy.js";
import { check } from "../expectations.js";
import { treeDigest } from "../../tree-digest.js";
import type { CaseTools } from "../port-case.js";
import type { LiveData, SourceSubject } from "./source-subject.js";

const AGENT: AgentRef = { tenant: parseTenantId("acme"), agent: parseAgentId("ana") };
/** Everything of the kit that is no live data lies here, in the folder of the case: on one file system with that. */
const KIT = "conformance-kit";

/** What one capture gave, unpacked as an engine does it. */
export interface CapturedBundle {
  readonly entries: readonly BundleEntry[];
  readonly omitted: readonly Omission[];
}

/** How a part of a bundle is staged. */
export interface StagedPart {
  readonly only: RestoreSelection;
  /** false: without the files that the session does not need */
  readonly all: boolean;
}

/** A memory and the engine's part in looking after it, for one case. */
export class SourceWorld {
  readonly source: ArtifactSource;
  readonly live: LiveData;
  /** what was staged last, before it went through JSON */
  stagedPlan: RestorePlan | undefined;
  readonly #memory: string;
  readonly #dir: string;
  #operations = 0;

  constructor({ source, memory, live }: SourceSubject, { dir }: CaseTools) {
    this.source = source;
    this.live = live ?? { make: () => undefined, change: () => undefined, read: () => undefined };
    this.#memory = memory;
    this.#dir = dir;
  }

  /** Everything in the folder of the case but the kit's own: names, modes, times, content. */
  async tree(): Promise<unknown> {
    return treeDigest(this.#dir, { exclude: (path) => path === KIT, mtimes: "all" });
  }

  /** What counts at places that a session watches. */
  async seenAt(places: readonly WatchedPlace[]): Promise<unknown> {
    const ignored = new Set(places.filter(({ counts }) => counts === "nothing").map(({ path }) => path));
    return await Promise.all(
      places.map(async ({ path, scope }) => {
        const folder = scope === "tree" && (await stat(path).catch(() => undefined))?.isDirectory() === true;
        const root = folder ? path : dirname(path);
        const isElsewhere = (found: string) => !folder && found.split("/")[0] !== basename(path);
        const exclude = (found: string) => isElsewhere(found) || ignored.has(join(root, found));
        return [path, await treeDigest(root, { mtimes: "files", exclude }).catch(() => undefined)];
      }),
    );
  }

  /** Absolute paths of the live files of which the bundle has the very bytes, in the order of their names. */
  async plainFiles({ entries }: CapturedBundle): Promise<readonly string[]> {
    const captured = new Set(entries.flatMap(({ meta }) => (meta.type === "file" ? [meta.sha256] : [])));
    const found: string[] = [];
    for (const entry of await readdir(this.#dir, { recursive: true, withFileTypes: true })) {
      const place = join(entry.parentPath, entry.name);
      if (SourceWorld.withinScratch(join(this.#dir, KIT), place) !== undefined) continue;
      if (!entry.isFile() || (await lstat(place)).size === 0) continue;
      if (captured.has((await digestOf(createReadStream(place))).sha256)) found.push(place);
    }
    return found.sort();
  }

  async openCapture(signal?: AbortSignal): Promise<CaptureSession & { readonly scratchDir: string }> {
    const scratchDir = await this.#folder("scratch");
    const target = { agent: AGENT, paths: { memory: this.#memory }, scratchDir, claimed: [] };
    const session = await this.source.open(target, { signal });
    // A proxy, so that a session may have private members.
    return new Proxy(session, {
      get(target, key) {
        if (key === "scratchDir") return scratchDir;
        const member: unknown = Reflect.get(target, key, target);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    }) as CaptureSession & { readonly scratchDir: string };
  }

  /** The whole way of a capture: hold, pin, release, entries. */
  async capture(): Promise<CapturedBundle> {
    await using session = await this.openCapture();
    const hold = await session.hold?.();
    await session.pin();
    await hold?.[Symbol.asyncDispose]();
    return await this.unpack(session);
  }

  /** Reads all entries of a session that is pinned. */
  async unpack(session: CaptureSession): Promise<CapturedBundle> {
    const place = await this.#folder("bundle");
    const entries: BundleEntry[] = [];
    const omitted: Omission[] = [];
    for await (const entry of session.entries()) {
      if (entry.type === "absent") continue;
      if (entry.type === "omitted") {
        const { type: _type, ...rest } = entry;
        omitted.push({ source: this.source.id, ...rest });
      } else entries.push(await this.#unpacked(entry, join(place, String(entries.length))));
    }
    return { entries, omitted };
  }

  /** Stages a restore in a session of its own. The plan went through JSON, as in a journal. */
  async stage({ entries, omitted }: CapturedBundle, signal?: AbortSignal, part?: StagedPart): Promise<RestorePlan> {
    const copies: BundleEntry[] = [];
    const place = await this.#folder("unpacked");
    for (const [index, entry] of entries.entries()) {
      copies.push(await unpackedCopy(entry, join(place, String(index))));
    }
    await using session = await this.openRestore(copies, omitted, part?.only);
    const needs = (entry: BundleEntry): boolean => part?.all !== false || (session.needs?.(entry) ?? true);
    const given = copies.map((entry) => {
      const bare = { meta: entry.meta, path: entry.path };
      return needs(bare) ? entry : bare;
    });
    const plan = await session.stage(Readable.from(given), omitted, { signal });
    this.stagedPlan = plan;
    return JSON.parse(JSON.stringify(plan)) as RestorePlan;
  }

  /** A session; without entries as in a recovery, where nothing is known but the plan. */
  async openRestore(
    entries: readonly BundleEntry[] = [],
    omitted: readonly Omission[] = [],
    only?: RestoreSelection,
  ): Promise<RestoreSession> {
    const open = this.source.openRestore?.bind(this.source);
    check(open !== undefined, "The source has `openRestore`.");
    return open({
      agent: AGENT,
      paths: { memory: this.#memory },
      operationId: `op-${this.#operations++}`,
      stageBeside: () => this.#folder("staging"),
      artifacts: entries.map(({ meta }) => meta),
      omitted,
      claimed: [],
      live: false,
      ...(only === undefined ? {} : { only }),
    });
  }

  /** One step of a restore, in a session of its own, with what a journal keeps of the plan. */
  async step(what: "commit" | "rollback" | "finish", { data }: RestorePlan, signal?: AbortSignal): Promise<void> {
    await using session = await this.openRestore();
    await session[what]({ data, changes: [], notices: [] }, { signal });
  }

  /** Where a captured file lies, relative to the session's scratch directory; undefined when it is elsewhere. */
  static withinScratch(scratchDir: string, file: string): string | undefined {
    const path = relative(scratchDir, file);
    return path === "" || path.startsWith("..") ? undefined : path;
  }

  async #folder(name: string): Promise<string> {
    await mkdir(join(this.#dir, KIT), { recursive: true, mode: 0o700 });
    return mkdtemp(join(this.#dir, KIT, `${name}-`));
  }

  async #unpacked(entry: Exclude<SourceEntry, { type: "absent" | "omitted" }>, file: string): Promise<BundleEntry> {
    const base = {
      pathInBundle: `${this.source.id}/${entry.path}`,
      kind: this.source.kind,
      source: this.source.id,
      mtimeMs: entry.mtimeMs,
      ...(entry.nameEncoding === undefined ? {} : { nameEncoding: entry.nameEncoding }),
    };
    const nothing = { sizeBytes: 0, sha256: sha256Hex("") };
    if (entry.type === "directory") {
      return { meta: { ...base, ...nothing, type: "directory", mode: entry.mode }, path: entry.path };
    }
    if (entry.type === "symlink") {
      const meta: ArtifactMeta = { ...base, ...nothing, type: "symlink", mode: 0o777, linkTarget: entry.target };
      return { meta, path: entry.path };
    }
    if ("file" in entry.content) await link(entry.content.file, file).catch(() => copyContent(entry, file));
    else await copyContent(entry, file);
    const facts = entry.facts === undefined ? {} : { facts: entry.facts };
    const digest = await digestOf(createReadStream(file));
    return { meta: { ...base, ...facts, ...digest, type: "file", mode: entry.mode }, path: entry.path, file };
  }
}

async function copyContent({ content }: Extract<SourceEntry, { type: "file" }>, file: string): Promise<void> {
  const stream = "file" in content ? createReadStream(content.file) : Readable.from(bytesOf(content));
  await pipeline(stream, createWriteStream(file, { mode: 0o600 }));
}

function bytesOf(content: Exclude<FileContent, { readonly file: string }>): ByteStream {
  if ("bytes" in content) return streamOf(content.bytes);
  check("stream" in content, "A file is said to be known, and the source was told of none.");
  return content.stream;
}
