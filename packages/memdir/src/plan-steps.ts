import type { PlannedChange } from "@keepsake/core";
import {
  type Attributes,
  attributesOf,
  type FsPath,
  joinLatin1,
  type Owner,
  sameAttributes,
  type SwapStep,
  toJsonPath,
} from "@keepsake/files";
import type { Desired } from "./desired-tree.js";
import type { LiveNode } from "./live-tree.js";

/** Names for the two places of one change. */
export interface Place {
  readonly staged: string;
  readonly undo: string;
}

interface FolderEnd {
  readonly step: SwapStep;
  /** false: only when something in it changes */
  readonly always: boolean;
}

/** What is to be done, gathered path by path and put in an order that works, and can be taken back, at every instant. */
export class PlanSteps {
  readonly #changes: PlannedChange[] = [];
  readonly #opened = new Map<string, SwapStep>();
  readonly #removals: SwapStep[] = [];
  readonly #emptied: SwapStep[] = [];
  readonly #puts: SwapStep[] = [];
  readonly #attributes: SwapStep[] = [];
  /** what each folder that is there at the end shall look like */
  readonly #ends = new Map<string, FolderEnd>();
  /** folders whose content changes: their times are set when all is done */
  readonly #touched = new Set<string>();

  /** By path; what a person reads. */
  get changes(): readonly PlannedChange[] {
    return this.#changes.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  }

  /** What was staged for `desired` comes to `at`, where `live` may be. */
  put(desired: Desired, live: LiveNode | undefined, at: FsPath, place: Place): void {
    this.#puts.push({ do: "put", live: toJsonPath(at), staged: place.staged, undo: place.undo });
    this.#touched.add(parentKey(desired.key));
    if (live?.type === "directory") this.#open(live);
    this.#changes.push({ action: live === undefined ? "create" : "replace", path: desired.path });
  }

  /**
   * A folder comes to `at`, where `live` may be, which is none. It is made there and not brought: another source's plan may
   * have made it before, and put into it what is its own.
   */
  makeFolder(desired: Desired, live: LiveNode | undefined, at: FsPath, undo: string, owner: Owner | undefined): void {
    const place = toJsonPath(at);
    if (live !== undefined) this.#puts.push({ do: "remove", live: place, undo, unless: "directory" });
    this.#puts.push({ do: "make_dir", live: place, mode: 0o700, ...(owner === undefined ? {} : { owner }) });
    this.#touched.add(parentKey(desired.key));
    this.#changes.push({ action: live === undefined ? "create" : "replace", path: desired.path });
    this.#endsAs(desired, attributesOfNew(desired), at);
  }

  /** What was staged for a folder comes to `at`, where nothing is, with all that is in it: {@link bring} tells of that. */
  putTree(desired: Desired, to: Attributes, at: FsPath, place: Place): void {
    this.#puts.push({ do: "put", live: toJsonPath(at), staged: place.staged, undo: place.undo });
    this.#touched.add(parentKey(desired.key));
    this.#changes.push({ action: "create", path: desired.path });
    this.#endsAs(desired, to, at);
  }

  /** Something comes within a folder that is put as a whole below `root`. `to` is given for a folder. */
  bring(desired: Desired, to: Attributes | undefined, root: string): void {
    this.#changes.push({ action: "create", path: desired.path });
    // A folder that its owner may not write could be neither moved nor removed: it is closed when all is in its place.
    if (to !== undefined && (to.mode & 0o700) !== 0o700) this.#endsAs(desired, to, joinLatin1(root, desired.key));
  }

  remove(live: LiveNode, undo: string): void {
    const step = { do: "remove", live: toJsonPath(live.absolute), undo } as const;
    // Another source's plan may have made a folder in its place by then.
    this.#removals.push(live.type === "directory" ? step : { ...step, unless: "directory" });
    this.#touched.add(parentKey(live.key));
    // A folder's own mode decides whether it may be moved to another one.
    if (live.type === "directory") this.#open(live);
    this.#changes.push({ action: "delete", path: live.relative.toString("utf8") });
  }

  /** The folder goes if nothing that is left alone is in it by then. Call it for a folder before those in it. */
  removeEmpty(live: LiveNode): void {
    this.#emptied.unshift({ do: "remove_dir", live: toJsonPath(live.absolute), before: attributesOf(live.stats) });
    this.#touched.add(parentKey(live.key));
  }

  setAttributes(live: LiveNode, to: Attributes, path: string): void {
    this.#attributes.push({ do: "set", live: toJsonPath(live.absolute), to, before: attributesOf(live.stats) });
    this.#changes.push({ action: "set_attributes", path });
  }

  /** The live folder stays; with the bundle's attributes where the bundle has it, else with its own. */
  keepFolder(live: LiveNode, desired?: Desired): void {
    const before = attributesOf(live.stats);
    const to = desired?.attributes ?? before;
    const differs = !sameAttributes(to, before);
    if (differs && desired !== undefined) this.#changes.push({ action: "set_attributes", path: desired.path });
    this.#ends.set(live.key, { always: differs, step: { do: "set", live: toJsonPath(live.absolute), to, before } });
  }

  /**
   * All steps in their order.
   *
   * @param folders the live folders, the root among them
   */
  inOrder(folders: readonly LiveNode[]): SwapStep[] {
    for (const folder of folders) if (this.#touched.has(folder.key)) this.#open(folder);
    const ends = [...this.#ends]
      .filter(([key, { always }]) => always || this.#touched.has(key) || this.#opened.has(key))
      // The deepest first: what is done in a folder changes its time.
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([, { step }]) => step);
    return [...this.#opened.values(), ...this.#removals, ...this.#emptied, ...this.#puts, ...this.#attributes, ...ends];
  }

  #endsAs({ key }: Desired, to: Attributes, at: FsPath): void {
    this.#ends.set(key, { always: true, step: { do: "set", live: toJsonPath(at), to, before: null } });
  }

  /** Without write permission nothing can be moved in or out of a folder; its mode is set again at the end. */
  #open(live: LiveNode): void {
    const before = attributesOf(live.stats);
    if ((before.mode & 0o700) === 0o700 || this.#opened.has(live.key)) return;
    const to = { ...before, mode: before.mode | 0o700 };
    this.#opened.set(live.key, { do: "set", live: toJsonPath(live.absolute), to, before });
  }
}

/** What a new folder is to be; one that the bundle only implies is like those that a program makes. */
export function attributesOfNew({ attributes }: Desired): Attributes {
  return attributes ?? { mode: 0o755, mtimeMs: Date.now() };
}

/** The folder of a key; "" is the root. */
export function parentKey(key: string): string {
  const cut = key.lastIndexOf("/");
  return cut === -1 ? "" : key.slice(0, cut);
}

/** True when `key` or a folder above it is in `keys`. */
export function isAtOrBelow(key: string, keys: { has(key: string): boolean }): boolean {
  for (let at = key; at !== ""; at = parentKey(at)) if (keys.has(at)) return true;
  return false;
}
