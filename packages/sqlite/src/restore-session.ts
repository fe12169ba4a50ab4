import { existsSync, lstatSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type ArtifactMeta,
  type BundleEntry,
  fromSystemError,
  isJsonObject,
  KeepsakeError,
  type JsonObject,
  type Omission,
  type OpOptions,
  type PathClaim,
  percentDecodePath,
  type RestorePlan,
  type RestoreSelection,
  type RestoreSession,
  type RestoreTarget,
} from "@keepsake/core";
import { applySwap, fromJsonPath, isPending, revertSwap, type SwapPlan, type SwapStep } from "@keepsake/files";
import { type Selection, selectionFor, type SqliteOptions } from "./options.js";
import { mountsBetween } from "./mounts.js";
import { HelperProcess } from "./process/helper-process.js";
import type { IncomingDatabase, WriteThrough } from "./process/protocol.js";
import { SIDECARS } from "./process/sidecars.js";

/** Puts all databases of one agent back: by exchanging files, or through SQLite where others have them open. */
export class SqliteRestoreSession implements RestoreSession {
  readonly claims: readonly PathClaim[];
  readonly #helper: HelperProcess;
  readonly #selection: Selection;
  readonly #target: RestoreTarget;
  readonly #removable: readonly string[];

  private constructor(
    helper: HelperProcess,
    selection: Selection,
    target: RestoreTarget,
    claims: readonly PathClaim[],
    removable: readonly string[],
  ) {
    this.#helper = helper;
    this.#selection = selection;
    this.#target = target;
    this.claims = claims;
    this.#removable = removable;
  }

  static async open(options: SqliteOptions, target: RestoreTarget, op?: OpOptions): Promise<SqliteRestoreSession> {
    const selection = selectionFor(options, target.agent, target.paths);
    const helper = new HelperProcess();
    try {
      const { claims, databases } = await helper.call("discover", selection, op);
      const isSelected = (file: string, path: string): boolean => target.only?.has(file, path) ?? true;
      const coming = target.artifacts.flatMap((meta) => {
        const file = join(selection.root, nameOf(meta));
        return isSelected(file, inSource(meta)) ? [file] : [];
      });
      const untouched = new Set(untouchedOf(target.omitted ?? []));
      const extra = databases.filter(({ file, path }) => !coming.includes(file) && !untouched.has(path));
      const leaving = extra.filter(({ file, path }) => isSelected(file, path));
      const all = [...leftAfter(claims, new Set(leaving.map(({ file }) => file))), ...coming.flatMap(comingClaims)];
      const removable = databases.filter(({ file, path }) => isSelected(file, path)).map(({ path }) => path);
      return new SqliteRestoreSession(helper, selection, target, all, removable);
    } catch (error) {
      await helper[Symbol.asyncDispose]();
      throw error;
    }
  }

  needs({ meta, path }: BundleEntry): boolean {
    return this.#isSelected(nameOf(meta), path);
  }

  async stage(
    entries: AsyncIterable<BundleEntry>,
    omitted: readonly Omission[],
    op: OpOptions = {},
  ): Promise<RestorePlan> {
    const { only } = this.#target;
    const { root } = this.#selection;
    const incoming: IncomingDatabase[] = [];
    for await (const entry of entries) {
      if (!this.#isSelected(nameOf(entry.meta), entry.path)) continue;
      const database = incomingOf(entry);
      if (only !== undefined) refuseBelowUnselected(root, database.name, only);
      incoming.push(database);
    }
    const stageDir = await this.#target.stageBeside(root, op);
    const mounts: { folder: string; stageDir: string }[] = [];
    const places = [...incoming.map(({ name }) => join(root, name)), ...this.claims.map(({ path }) => path)];
    for (const folder of mountsBetween(root, places)) {
      mounts.push({ folder, stageDir: await this.#target.stageBeside(folder, op) });
    }
    const request = {
      selection: this.#selection,
      stageDir,
      mounts,
      incoming,
      untouched: untouchedOf(omitted),
      ...(only === undefined ? {} : { removable: this.#removable }),
      live: this.#target.live,
    };
    const { changes, notices, swap, through } = await this.#helper.call("stage", request, op);
    return { changes, notices, data: { swap, through } as unknown as JsonObject };
  }

  async commit(plan: RestorePlan, op: OpOptions = {}): Promise<void> {
    const { swap, through } = parts(plan);
    const steps = withoutDone(swap.steps);
    // Somebody may have opened one since it was staged. What is in its place already may be open: it is the new one.
    const files = steps.filter(isPending).map(({ live }) => fromJsonPath(live).toString());
    await this.#helper.call("checkFree", { files }, op);
    await this.#helper.call("writeThrough", { steps: through }, op);
    try {
      await applySwap({ steps }, op.signal);
    } catch (error) {
      throw fromSystemError(error, "The databases could not be put in place");
    }
  }

  async rollback(plan: RestorePlan): Promise<void> {
    const { swap, through } = parts(plan);
    try {
      await setNewSidecarsAside(swap.steps);
      await revertSwap(swap);
    } catch (error) {
      throw fromSystemError(error, "The databases could not be put back");
    }
    await this.#helper.call("undoWriteThrough", { steps: through });
  }

  async finish(): Promise<void> {
    // What was staged and set aside lies in the engine's directory.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#helper[Symbol.asyncDispose]();
  }

  #isSelected(name: string, path: string): boolean {
    return this.#target.only?.has(join(this.#selection.root, name), path) ?? true;
  }
}

function parts({ data }: RestorePlan): { readonly swap: SwapPlan; readonly through: readonly WriteThrough[] } {
  return data as unknown as { swap: SwapPlan; through: readonly WriteThrough[] };
}

/** Sidecars of a database that came or went already are not the old ones: whoever opened it since has made them. */
function withoutDone(steps: readonly SwapStep[]): SwapStep[] {
  const done = new Set(steps.filter((step) => "undo" in step && !isPending(step)).flatMap(sidecarsOf));
  return steps.filter((step) => !(step.do === "remove" && done.has(fromJsonPath(step.live).toString())));
}

function sidecarsOf({ live }: SwapStep): string[] {
  return SIDECARS.map((suffix) => `${fromJsonPath(live).toString()}${suffix}`);
}

/** A log that was begun beside the new database would be replayed into the old one. */
async function setNewSidecarsAside(steps: readonly SwapStep[]): Promise<void> {
  for (const step of steps) {
    if (step.do !== "put" || isPending(step)) continue;
    for (const [index, sidecar] of sidecarsOf(step).entries()) {
      await rm(`${step.staged}.late-${String(index)}`, { force: true });
      if (existsSync(sidecar)) await rename(sidecar, `${step.staged}.late-${String(index)}`);
    }
  }
}

/** What is in the place of a folder on the way would be set aside: that is only for what is selected. */
function refuseBelowUnselected(root: string, name: string, only: RestoreSelection): void {
  const names = name.split("/").slice(0, -1);
  for (const depth of names.keys()) {
    const path = names.slice(0, depth + 1).join("/");
    const place = join(root, path);
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (stats.isDirectory()) continue;
    if (only.has(place, path)) return;
    throw new KeepsakeError("E_ALREADY_EXISTS", `${place} is no folder, and a database is to come into it.`, {
      context: { path },
      hint: `Select ${JSON.stringify(names[0] ?? path)} as well, or move it away.`,
    });
  }
}

function inSource({ pathInBundle, source }: ArtifactMeta): string {
  return pathInBundle.slice(source.length + 1);
}

function nameOf(meta: ArtifactMeta): string {
  const { pathInBundle, nameEncoding } = meta;
  const path = inSource(meta);
  if (nameEncoding === undefined) return path;
  const raw = percentDecodePath(path);
  const name = raw.toString("utf8");
  // SQLite takes names as text: another one would be written than was meant.
  if (Buffer.from(name, "utf8").equals(raw) && !name.includes("\0")) return name;
  throw new KeepsakeError("E_UNSAFE_PATH", `${JSON.stringify(pathInBundle)} is no name that SQLite can open.`, {
    context: { path: pathInBundle },
  });
}

/** What was not there at the time of the snapshot is not kept from before: it was created since. */
function untouchedOf(omitted: readonly Omission[]): readonly string[] {
  return omitted.filter(({ reason }) => reason !== "absent").map(({ path }) => path);
}

/** The claims on what there is now; on the databases that go, and what belongs to them, as such. */
function leftAfter(claims: readonly PathClaim[], leaving: ReadonlySet<string>): readonly PathClaim[] {
  const going = new Set([...leaving].flatMap((file) => [file, ...besideOf(file)]));
  return claims.map((claim) => (going.has(claim.path) ? { ...claim, after: "gone" } : claim));
}

function comingClaims(file: string): readonly PathClaim[] {
  const beside = besideOf(file).map((path): PathClaim => ({ path, scope: "path" }));
  return [{ path: file, scope: "path", after: "file" }, ...beside];
}

function besideOf(file: string): readonly string[] {
  return SIDECARS.map((suffix) => `${file}${suffix}`);
}

function incomingOf({ meta, path, file }: BundleEntry): IncomingDatabase {
  if (file === undefined || meta.type !== "file") {
    throw new KeepsakeError("E_MANIFEST", `${JSON.stringify(meta.pathInBundle)} is a ${meta.type}, not a database.`, {
      context: { path: meta.pathInBundle },
    });
  }
  const journalMode = meta.facts?.["journal_mode"];
  const counts = meta.facts?.["row_counts"];
  const notes = meta.facts?.["check_notes"];
  return {
    name: nameOf(meta),
    path,
    file,
    mode: meta.mode,
    mtimeMs: meta.mtimeMs,
    journalMode: typeof journalMode === "string" ? journalMode : undefined,
    rowCounts: isJsonObject(counts) ? (counts as Record<string, number>) : undefined,
    knownNotes: Array.isArray(notes) ? notes.map(String) : [],
  };
}
