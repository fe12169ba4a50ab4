import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type AbsentEntry,
  type AgentRef,
  type ArtifactMeta,
  type ArtifactReader,
  type ArtifactSource,
  type BundleEntry,
  digestOf,
  encodeManifest,
  NO_GIT_HEAD,
  type Omission,
  parseAgentId,
  parseManifest,
  parseTenantId,
  type PathClaim,
  type RestorePlan,
  type RestoreSession,
  sealManifest,
  sha256Hex,
  type SourceEntry,
} from "@keepsake/core";
import { makeStagingPlace, stagingPlaceFor } from "@keepsake/files";
import { unpackedCopy } from "@keepsake/testkit";

const agent: AgentRef = { tenant: parseTenantId("default"), agent: parseAgentId("ana") };
let count = 0;

/** What one capture gave, unpacked into files as an engine would. */
export interface TestBundle extends ArtifactReader {
  readonly absent: readonly AbsentEntry[];
  readonly fences: readonly [string, string];
}

/** Captures `memory` and keeps the bytes below `dir`. The artifacts go through a manifest and back, as in a real bundle. */
export async function capture(
  source: ArtifactSource,
  memory: string,
  dir: string,
  claimed: readonly PathClaim[] = [],
): Promise<TestBundle> {
  const place = join(dir, `bundle-${String(count++)}`);
  const scratchDir = join(place, "scratch");
  await mkdir(scratchDir, { recursive: true, mode: 0o700 });
  await using session = await source.open({ agent, paths: { memory }, scratchDir, claimed });
  const before = (await session.fence?.()) ?? "";
  await session.pin();
  const entries: BundleEntry[] = [];
  const omitted: Omission[] = [];
  const absent: AbsentEntry[] = [];
  for await (const entry of session.entries()) {
    if (entry.type === "absent") absent.push(entry);
    else if (entry.type === "omitted") {
      const { type: _type, ...rest } = entry;
      omitted.push({ source: source.id, ...rest });
    } else entries.push(await unpack(source.id, entry, join(place, String(entries.length))));
  }
  const after = (await session.fence?.()) ?? "";
  checkManifest(entries.map(({ meta }) => meta));
  return { entries, omitted, absent, fences: [before, after] };
}

async function unpack(
  source: string,
  entry: Exclude<SourceEntry, { type: "absent" | "omitted" }>,
  file: string,
): Promise<BundleEntry> {
  const encoding = entry.nameEncoding === undefined ? {} : { nameEncoding: entry.nameEncoding };
  const base = { pathInBundle: `${source}/${entry.path}`, kind: "memory_file", source, ...encoding };
  if (entry.type === "file") {
    if ("file" in entry.content) await rename(entry.content.file, file);
    else if ("bytes" in entry.content) await writeFile(file, entry.content.bytes);
    else if ("stream" in entry.content) await pipeline(Readable.from(entry.content.stream), createWriteStream(file));
    const digest = await digestOf(createReadStream(file));
    const facts = entry.facts === undefined ? {} : { facts: entry.facts };
    const meta: ArtifactMeta = { ...base, type: "file", mode: entry.mode, mtimeMs: entry.mtimeMs, ...digest, ...facts };
    return { meta, path: entry.path, file };
  }
  const rest = { sizeBytes: 0, sha256: sha256Hex(""), mtimeMs: entry.mtimeMs };
  const meta: ArtifactMeta =
    entry.type === "symlink"
      ? { ...base, ...rest, type: "symlink", mode: 0o777, linkTarget: entry.target }
      : { ...base, ...rest, type: "directory", mode: entry.mode };
  return { meta, path: entry.path };
}

/** Throws when a reader would refuse the paths of this bundle. */
function checkManifest(artifacts: readonly ArtifactMeta[]): void {
  const { wire } = sealManifest({
    manifestVersion: 1,
    bundleFormat: "keepsake-bundle-v1",
    snapshotId: "x",
    agentId: "ana",
    tenant: "default",
    createdAtMs: 0,
    createdBy: "test",
    schemaVersions: {},
    git: NO_GIT_HEAD,
    artifacts: [...artifacts],
    sources: [],
    omitted: [],
    toolVersions: {},
    bundleSha256: "0".repeat(64),
  });
  parseManifest(encodeManifest(wire));
}

/** A restore that is staged. */
export interface StagedRestore {
  readonly session: RestoreSession;
  readonly plan: RestorePlan;
  /** what an engine does after `finish` or `rollback` */
  sweep(): Promise<void>;
}

/** Stages a restore of `bundle` into `memory`; its files are copied first, so that a bundle can be restored twice. */
export async function stageRestore(
  source: ArtifactSource,
  bundle: ArtifactReader,
  memory: string,
  dir: string,
  claimed: readonly PathClaim[] = [],
): Promise<StagedRestore> {
  const operationId = `op-${String(count++)}`;
  const places: string[] = [];
  const unpacked = join(dir, operationId);
  await mkdir(unpacked, { recursive: true });
  const entries: BundleEntry[] = [];
  for (const [index, entry] of bundle.entries.entries()) {
    entries.push(await unpackedCopy(entry, join(unpacked, String(index))));
  }
  const stageBeside = async (live: string): Promise<string> => {
    const place = await stagingPlaceFor(live, operationId);
    places.push(place);
    await makeStagingPlace(place);
    return place;
  };
  const target = { agent, paths: { memory }, operationId, stageBeside, artifacts: [], claimed, live: false };
  const session = await source.openRestore?.(target);
  if (session === undefined) throw new TypeError("no restore");
  const plan = await session.stage(Readable.from(entries), bundle.omitted);
  const sweep = async (): Promise<void> => {
    for (const place of places) await rm(place, { recursive: true, force: true });
  };
  return { session, plan: JSON.parse(JSON.stringify(plan)) as RestorePlan, sweep };
}

/** The whole way: stage, commit, finish. Returns what was planned. */
export async function restore(...args: Parameters<typeof stageRestore>): Promise<RestorePlan> {
  const { session, plan, sweep } = await stageRestore(...args);
  await session.commit(plan);
  await session.finish(plan);
  await session[Symbol.asyncDispose]();
  await sweep();
  return plan;
}

/** The bytes of a captured file. */
export async function bytesOf(bundle: ArtifactReader, path: string): Promise<Buffer> {
  const file = bundle.entries.find((entry) => entry.path === path)?.file;
  if (file === undefined) throw new TypeError(`no file ${path}`);
  return readFile(file);
}
