import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { PlannedChange } from "@keepsake/core";
import type { SwapStep } from "@keepsake/files";
import { discover } from "../discovery.js";
import { HEADER_BYTES, pageSizeOf, readStart } from "../header.js";
import type { FoundDatabase, IncomingDatabase, StagedRestore, StageRequest, WriteThrough } from "../protocol.js";
import { SIDECARS } from "../sidecars.js";
import { attributesOf, sameAttributes, sameContent } from "./compare-live.js";
import { holdersOf, liveHolder } from "./holders.js";
import { checkIncoming, placeIncoming } from "./incoming.js";
import { foldersTo } from "./folders.js";
import { copyForUndo } from "./write-through.js";

/**
 * Checks every database of the bundle, writes it beside the live ones, and plans how they come into place. Nothing live is
 * changed.
 *
 * @throws KeepsakeError `E_DATABASE_DAMAGED`, `E_INTEGRITY`, `E_LIVE_HOLDER`, `E_UNSAFE_PATH`
 */
export async function stageRestore(request: StageRequest, signal: AbortSignal): Promise<StagedRestore> {
  const discovery = await discover(request.selection, signal);
  const stager = new Stager(request);
  for (const incoming of request.incoming) {
    signal.throwIfAborted();
    await stager.bring(incoming, signal);
  }
  const wanted = new Set(request.incoming.map(({ name }) => name));
  const untouched = new Set(request.untouched);
  for (const found of discovery.databases) {
    if (!wanted.has(found.name) && !untouched.has(found.path)) stager.remove(found);
  }
  return stager.staged;
}

class Stager {
  readonly #request: StageRequest;
  readonly #incomingDir: string;
  readonly #undoDir: string;
  readonly #steps: SwapStep[] = [];
  readonly #through: WriteThrough[] = [];
  readonly #changes: PlannedChange[] = [];
  readonly #notices: string[] = [];
  readonly #folders = new Set<string>();
  #count = 0;

  constructor(request: StageRequest) {
    this.#request = request;
    this.#incomingDir = join(request.stageDir, "new");
    this.#undoDir = join(request.stageDir, "old");
    for (const dir of [this.#incomingDir, this.#undoDir]) mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  get staged(): StagedRestore {
    return { changes: this.#changes, notices: this.#notices, swap: { steps: this.#steps }, through: this.#through };
  }

  async bring(incoming: IncomingDatabase, signal: AbortSignal): Promise<void> {
    const { wal, pageSize, notes } = checkIncoming(incoming);
    if (notes.length > 0) this.#notices.push(`${incoming.path}: ${notes.slice(0, 3).join("; ")}`);
    const live = join(this.#request.selection.root, incoming.name);
    const staged = join(this.#incomingDir, String(this.#count++));
    placeIncoming(incoming, wal, staged);
    const before = attributesOf(live);
    if (before !== undefined && sameContent(live, staged)) {
      if (sameAttributes(before, incoming)) return;
      const to = { mode: incoming.mode, mtimeMs: incoming.mtimeMs };
      this.#steps.push({ do: "set", live, to, before });
      this.#changes.push({ action: "set_attributes", path: incoming.path });
      return;
    }
    const action = before === undefined ? "create" : "replace";
    this.#changes.push({ action, path: incoming.path });
    const through = before !== undefined && (await this.#writeThrough(live, staged, pageSize, signal));
    if (!through) this.#put(live, staged, incoming.name);
  }

  remove({ file, path }: FoundDatabase): void {
    const holders = holdersOf(file);
    if (holders.length > 0) {
      throw liveHolder(file, holders, "It is not in the snapshot and would be removed: stop the process first.");
    }
    this.#changes.push({ action: "delete", path });
    this.#setSidecarsAside(file);
    this.#steps.push({ do: "remove", live: file, undo: this.#undo() });
  }

  /** @returns false when nobody has it open, so that the file itself can be exchanged */
  async #writeThrough(live: string, staged: string, pageSize: number, signal: AbortSignal): Promise<boolean> {
    const holders = holdersOf(live);
    if (holders.length === 0) return false;
    if (!this.#request.live) throw liveHolder(live, holders);
    const undo = this.#undo();
    await copyForUndo(live, undo, signal);
    const livePageSize = pageSizeOf(readStart(undo, HEADER_BYTES));
    // SQLite cannot change the page size under an open log, nor write no pages; better-sqlite3 cuts white space off names.
    if (livePageSize !== pageSize || statSync(staged).size === 0 || live.trim() !== live) {
      throw liveHolder(live, holders, "This one cannot be written through SQLite: stop the process first.");
    }
    this.#notices.push(`${live} is open in other processes: it is written through SQLite.`);
    this.#through.push({ live, staged, undo, begun: `${undo}.begun` });
    return true;
  }

  #put(live: string, staged: string, name: string): void {
    this.#steps.push(...foldersTo(this.#request.selection.root, name, this.#folders));
    // The old log goes first: beside the new file it would be replayed into it.
    this.#setSidecarsAside(live);
    this.#steps.push({ do: "put", live, staged, undo: this.#undo() });
  }

  #setSidecarsAside(file: string): void {
    for (const suffix of SIDECARS) {
      if (existsSync(`${file}${suffix}`))
        this.#steps.push({ do: "remove", live: `${file}${suffix}`, undo: this.#undo() });
    }
  }

  #undo(): string {
    return join(this.#undoDir, String(this.#count++));
  }
}
