import { mkdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { PlannedChange } from "@keepsake/core";
import {
  type Attributes,
  canTellHolders,
  fromJsonPath,
  type Holder,
  liveHolder,
  sameAttributes,
  type SwapStep,
} from "@keepsake/files";
import { discover } from "../discovery.js";
import { HEADER_BYTES, pageSizeOf, readStart } from "../header.js";
import type { FoundDatabase, IncomingDatabase, StagedRestore, StageRequest, WriteThrough } from "../protocol.js";
import { SIDECARS } from "../sidecars.js";
import { folderAttributes, liveAttributes, sameContent } from "./compare-live.js";
import { foldersTo, isReachable, ownerFor } from "./folders.js";
import { holdersOf, WAYS_OUT } from "./holders.js";
import { checkIncoming, placeIncoming, settleHeader } from "./incoming.js";
import { fsyncPath } from "./durable-marks.js";
import { copyForUndo } from "./write-through.js";

/**
 * Checks every database of the bundle, moves it beside the live ones, and plans how they come into place. Nothing live is
 * changed.
 *
 * @throws KeepsakeError `E_DATABASE_DAMAGED`, `E_INTEGRITY`, `E_LIVE_HOLDER`, `E_UNSAFE_PATH`
 */
export async function stageRestore(request: StageRequest, signal: AbortSignal): Promise<StagedRestore> {
  const discovery = await discover(request.selection, signal);
  const stager = new Stager(request);
  const wanted = new Set(request.incoming.map(({ name }) => name));
  const untouched = new Set(request.untouched);
  // First: a folder of what comes may be made in the place of a database that goes.
  for (const found of discovery.databases) {
    const mayGo = request.removable?.includes(found.path) ?? true;
    if (mayGo && !wanted.has(found.name) && !untouched.has(found.path)) stager.remove(found);
  }
  for (const incoming of request.incoming) {
    signal.throwIfAborted();
    await stager.bring(incoming, signal);
  }
  stager.sync();
  return stager.staged;
}

const CANNOT_WRITE_THROUGH = "This one cannot be written through SQLite: stop the process first.";
const HOLDERS_UNKNOWN = "this system does not tell whether a process has it open; make sure that none has.";

class Stager {
  readonly #request: StageRequest;
  readonly #steps: SwapStep[] = [];
  readonly #through: WriteThrough[] = [];
  readonly #changes: PlannedChange[] = [];
  readonly #notices: string[] = [];
  readonly #folders = new Set<string>();
  #count = 0;

  constructor(request: StageRequest) {
    this.#request = request;
    for (const dir of this.#places()) mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  get staged(): StagedRestore {
    const steps = [...this.#steps, ...this.#folderTimes()];
    return { changes: this.#changes, notices: this.#notices, swap: { steps }, through: this.#through };
  }

  async bring(incoming: IncomingDatabase, signal: AbortSignal): Promise<void> {
    const { wal, pageSize, notes } = checkIncoming(incoming);
    if (notes.length > 0) this.#notices.push(`${incoming.path}: ${notes.slice(0, 3).join("; ")}`);
    const { root } = this.#request.selection;
    const live = join(root, incoming.name);
    const reachable = isReachable(root, incoming.name);
    const before = reachable ? liveAttributes(live) : undefined;
    settleHeader(incoming, wal);
    if (before !== undefined && sameContent(live, incoming.file)) {
      this.#keep(live, incoming, before);
      return;
    }
    const staged = this.#newName(live, "new");
    placeIncoming(incoming, staged, ownerFor(reachable ? live : join(root, "new")));
    this.#changes.push({ action: before === undefined ? "create" : "replace", path: incoming.path });
    const holders = reachable ? holdersOf(live) : [];
    if (reachable && !canTellHolders()) this.#notices.push(`${live}: ${HOLDERS_UNKNOWN}`);
    if (holders.length === 0) {
      this.#put(live, staged, incoming.name);
      return;
    }
    if (!this.#request.live) throw liveHolder(live, holders, WAYS_OUT);
    // A file that is gone or was exchanged, while its log is held, cannot be written through.
    if (before === undefined) throw liveHolder(live, holders, CANNOT_WRITE_THROUGH);
    await this.#writeThrough(live, staged, pageSize, holders, signal);
  }

  remove({ file, path }: FoundDatabase): void {
    const holders = holdersOf(file);
    if (holders.length > 0) {
      throw liveHolder(file, holders, "It is not in the snapshot and would be removed: stop the process first.");
    }
    this.#changes.push({ action: "delete", path });
    this.#setSidecarsAside(file);
    this.#steps.push({ do: "remove", live: file, undo: this.#newName(file, "old") });
  }

  /** What was staged survives a power cut, before anything relies on it. */
  sync(): void {
    for (const dir of this.#places()) fsyncPath(dir, "r");
    for (const dir of this.#stageDirs()) fsyncPath(dir, "r");
  }

  /** Files that come and go change their folder's time. Whoever looks after the folder sets it; a rollback keeps it. */
  *#folderTimes(): Generator<SwapStep> {
    const changed = this.#steps.filter((step) => step.do === "put" || step.do === "remove");
    const folders = new Set(changed.map(({ live }) => dirname(fromJsonPath(live).toString())));
    for (const live of folders) {
      const before = isReachable(this.#request.selection.root, relative(this.#request.selection.root, live))
        ? folderAttributes(live)
        : undefined;
      if (before !== undefined) yield { do: "set", live, to: before, before };
    }
  }

  #keep(live: string, { path, mode, mtimeMs }: IncomingDatabase, before: Attributes): void {
    const to = { mode, mtimeMs };
    if (sameAttributes(before, to)) return;
    this.#steps.push({ do: "set", live, to, before });
    this.#changes.push({ action: "set_attributes", path });
  }

  async #writeThrough(
    live: string,
    staged: string,
    pageSize: number,
    holders: readonly Holder[],
    signal: AbortSignal,
  ): Promise<void> {
    const undo = this.#newName(live, "old");
    await copyForUndo(live, undo, signal);
    const livePageSize = pageSizeOf(readStart(undo, HEADER_BYTES));
    // SQLite cannot change the page size under an open log, nor write no pages; better-sqlite3 cuts white space off names.
    if (livePageSize !== pageSize || statSync(staged).size === 0 || live.trim() !== live) {
      throw liveHolder(live, holders, CANNOT_WRITE_THROUGH);
    }
    this.#notices.push(`${live} is open in other processes: it is written through SQLite.`);
    this.#through.push({ live, staged, undo, begun: `${undo}.begun` });
  }

  #put(live: string, staged: string, name: string): void {
    const undo = (): string => this.#newName(live, "old");
    this.#steps.push(...foldersTo(this.#request.selection.root, name, this.#folders, undo));
    // The old log goes first: beside the new file it would be replayed into it.
    this.#setSidecarsAside(live);
    this.#steps.push({ do: "put", live, staged, undo: undo() });
  }

  /** Also those that are not there yet: a writer may come and be killed before the commit. */
  #setSidecarsAside(file: string): void {
    for (const suffix of SIDECARS) {
      this.#steps.push({ do: "remove", live: `${file}${suffix}`, undo: this.#newName(file, "old") });
    }
  }

  /** On the file system of the database, so that it can be renamed there. */
  #newName(live: string, kind: "new" | "old"): string {
    const { mounts, stageDir } = this.#request;
    const place = mounts.find(({ folder }) => live.startsWith(`${folder}/`))?.stageDir ?? stageDir;
    return join(place, kind, String(this.#count++));
  }

  #stageDirs(): readonly string[] {
    return [this.#request.stageDir, ...this.#request.mounts.map(({ stageDir }) => stageDir)];
  }

  #places(): readonly string[] {
    return this.#stageDirs().flatMap((dir) => [join(dir, "new"), join(dir, "old")]);
  }
}
