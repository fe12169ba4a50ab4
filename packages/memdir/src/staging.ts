import { dirname } from "node:path";
import { eachAtOnce } from "@keepsake/core";
import { type Attributes, type FsPath, TimeSlice } from "@keepsake/files";
import type { Desired } from "./desired-tree.js";
import type { LiveNode, LiveTree } from "./live-tree.js";
import { ownerFor } from "./owner.js";
import { settleFolder, stageFolder, stageOne, syncStaged } from "./stage-files.js";

/** What of a plan a staging depends on. */
interface StagingInput {
  readonly live: LiveTree;
  readonly rootNode: LiveNode | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Something that is to be staged, and where; a folder has the attributes that it gets. */
interface Staged {
  readonly wanted: Desired;
  readonly at: FsPath;
  readonly to: Attributes | undefined;
}

/** What is to come, gathered before any of it is made: single files and links, and whole folders. */
export class Staging {
  readonly #input: StagingInput;
  readonly #staged: Staged[] = [];
  readonly #folders = new Map<string, FsPath>();
  readonly #areas = new Set<string>();

  constructor(input: StagingInput) {
    this.#input = input;
  }

  /** Where a folder that comes as a whole is staged; undefined for one that does not. */
  folder(key: string): FsPath | undefined {
    return this.#folders.get(key);
  }

  /** Something that is moved to its place by a step of its own. */
  addTop(wanted: Desired, at: string, to?: Attributes): void {
    this.#areas.add(dirname(at));
    this.add(wanted, at, to);
  }

  /** Something in a folder that was added before. */
  add(wanted: Desired, at: FsPath, to: Attributes | undefined): void {
    this.#staged.push({ wanted, at, to });
    if (to !== undefined) this.#folders.set(wanted.key, at);
  }

  /** Makes all of it, so that it survives a power cut. */
  async make(): Promise<void> {
    const { signal } = this.#input;
    const slice = new TimeSlice();
    // Folders are made at once, before anything in them has its turn.
    await eachAtOnce(this.#staged, async ({ wanted, at, to }) => {
      if (to !== undefined) stageFolder(at);
      else await stageOne(wanted, at, ownerFor(wanted.key, this.#input), signal);
      if (slice.isOver) await slice.next(signal);
    });
    const folders = this.#staged.flatMap(({ wanted, at, to }) => (to === undefined ? [] : [{ wanted, at, to }]));
    // The deepest first: what is made in a folder changes its time.
    for (const { wanted, at, to } of folders.toReversed()) {
      settleFolder(at, to, ownerFor(wanted.key, this.#input));
      if (slice.isOver) await slice.next(signal);
    }
    const files = this.#staged.filter(({ wanted }) => wanted.type === "file");
    await syncStaged(
      files.map(({ wanted, at }) => ({ at, mode: wanted.attributes?.mode ?? 0o600 })),
      folders.map(({ at }) => at),
      this.#areas,
    );
  }
}
