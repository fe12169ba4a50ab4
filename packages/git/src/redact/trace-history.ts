import { setImmediate as nextTurn } from "node:timers/promises";
import type { HistoryPlace, OpOptions, StagedArtifact, TracedPlace } from "@keepsake/core";
import { ObjectStore } from "../objects/object-store.js";
import { parseCommit, parseTag, parseTree } from "../objects/parse.js";
import type { FileMap } from "../repository/file-map.js";
import { readFormat } from "../repository/format.js";
import { readRefs } from "../repository/refs.js";
import { type BundledPlace, bundledPlaces, workingTreeOf } from "./bundled-places.js";
import type { GitRedactionOptions } from "./redact-git.js";
import { objectFilesOf, sortFiles } from "./staged-objects.js";
import { asUtf8 } from "./state-redaction.js";

const STEPS_A_TURN = 256;

/** People look for a secret in their own branches first. */
const KINDS = ["refs/heads/", "refs/remotes/", "refs/tags/", "HEAD", "refs/"];

/** Finds what stands at places in commits, and what leads to them. Only the graph and what is asked for is read. */
export async function* traceHistory(
  staged: readonly StagedArtifact[],
  places: readonly HistoryPlace[],
  { sourceId, root }: Pick<GitRedactionOptions, "sourceId" | "root">,
  { signal }: OpOptions = {},
): AsyncGenerator<TracedPlace> {
  for (const repository of bundledPlaces(staged, sourceId))
    yield* traceIn(repository, places, workingTreeOf(repository, root), signal);
}

async function* traceIn(
  repository: BundledPlace,
  places: readonly HistoryPlace[],
  workingTree: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<TracedPlace> {
  const sorted = sortFiles(repository.files);
  const files = new Map([...sorted.state].map(([path, { file }]) => [asUtf8(path), file]));
  const format = readFormat(files);
  if (format.unsupported !== undefined) return;
  using store = new ObjectStore(objectFilesOf(sorted), format.kind);
  const own = places.filter(({ path, commit }) => isOf(path, workingTree) && store.has(commit));
  const refs = await leadingRefs(new Set(own.map(({ commit }) => commit)), files, store, signal);
  for (const place of own) {
    signal?.throwIfAborted();
    const ref = refs.get(place.commit);
    const content = contentAt(place, workingTree, store);
    yield { ...place, ...(ref === undefined ? {} : { ref }), ...(content === undefined ? {} : { content }) };
  }
}

/** A file of this working tree; or a message, which is of no file. */
function isOf(path: string, workingTree: string): boolean {
  return path.startsWith(workingTree) || path.startsWith("git/");
}

/** By commit: the first ref that leads to it. */
async function leadingRefs(
  wanted: ReadonlySet<string>,
  files: FileMap,
  store: ObjectStore,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const seen = new Uint8Array(store.slots);
  let steps = 0;
  for (const [name, oid] of orderedRefs(files, store)) {
    const stack = [oid];
    for (let next = stack.pop(); next !== undefined && found.size < wanted.size; next = stack.pop()) {
      if (++steps % STEPS_A_TURN === 0) {
        await nextTurn();
        signal?.throwIfAborted();
      }
      const slot = store.slotOf(next);
      if (slot === undefined || seen[slot] === 1) continue;
      seen[slot] = 1;
      if (wanted.has(next)) found.set(next, name);
      stack.push(...pointedTo(next, store));
    }
  }
  return found;
}

function orderedRefs(files: FileMap, store: ObjectStore): (readonly [name: string, oid: string])[] {
  const { head, byName } = readRefs(files, store.kind);
  const all: (readonly [string, string])[] = [...byName];
  if (head.ref === undefined && head.oid !== undefined) all.push(["HEAD", head.oid]);
  const rank = (name: string): number =>
    name === head.ref ? -1 : KINDS.findIndex((kind) => name === kind || name.startsWith(kind));
  return all.sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function pointedTo(oid: string, store: ObjectStore): readonly string[] {
  const object = store.read(oid);
  if (object?.type === "tag") return [parseTag(object, store.kind)].flatMap((target) => target ?? []);
  return parseCommit(object, store.kind)?.parents ?? [];
}

function contentAt({ path, commit }: HistoryPlace, workingTree: string, store: ObjectStore): Buffer | undefined {
  const object = store.read(commit);
  if (path === "git/commit") return messageOf(object?.data);
  let oid = path.startsWith(workingTree) ? parseCommit(object, store.kind)?.tree : undefined;
  for (const name of path.slice(workingTree.length).split("/")) {
    if (oid === undefined) return undefined;
    const entries = parseTree(store.read(oid), store.kind);
    oid = entries?.find((entry) => entry.name.toString("utf8") === name)?.oid;
  }
  const blob = oid === undefined ? undefined : store.read(oid);
  return blob?.type === "blob" ? blob.data : undefined;
}

function messageOf(commit: Buffer | undefined): Buffer | undefined {
  const end = commit?.indexOf("\n\n") ?? -1;
  return end < 0 ? undefined : commit?.subarray(end + 2);
}
