import { basename, dirname } from "node:path";
import { eachAtOnce } from "@keepsake/core";
import { type Attributes, type FsPath, joinLatin1, TimeSlice } from "@keepsake/files";
import type { Desired } from "./desired-tree.js";
import { ownerFor, type OwnersInput } from "./owner.js";
import { settleFolder, stageFolder, stageOne, syncStaged } from "./stage-files.js";

/** What of a plan a staging depends on. */
interface StagingInput extends OwnersInput {
  readonly signal?: AbortSignal | undefined;
}

/** Something that is to be staged. There are so many of them that each keeps the folder it is in, and not a path of its own. */
class Staged {
  readonly wanted: Desired;
  readonly #folder: FsPath;
  readonly #name: string | undefined;
  /** the attributes that a folder gets; undefined for what is none */
  readonly to: Attributes | undefined;

  /** @param name in the folder; absent: its own */
  constructor(wanted: Desired, to: Attributes | undefined, folder: FsPath, name?: string) {
    this.wanted = wanted;
    this.to = to;
    this.#folder = folder;
    this.#name = name;
  }

  get at(): FsPath {
    const { key } = this.wanted;
    return joinLatin1(this.#folder, this.#name ?? key.slice(key.lastIndexOf("/") + 1));
  }
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
    this.#add(new Staged(wanted, to, dirname(at), basename(at)));
  }

  /** Something in a folder that was added before, which is staged at `folder`. */
  addWithin(wanted: Desired, folder: FsPath, to: Attributes | undefined): void {
    this.#add(new Staged(wanted, to, folder));
  }

  #add(staged: Staged): void {
    this.#staged.push(staged);
    if (staged.to !== undefined) this.#folders.set(staged.wanted.key, staged.at);
  }

  /** Makes all of it, so that it survives a power cut. */
  async make(): Promise<void> {
    const { signal } = this.#input;
    const slice = new TimeSlice();
    // Folders are made at once, before anything in them has its turn.
    await eachAtOnce(this.#staged, async (staged) => {
      const { wanted, at } = staged;
      if (staged.to !== undefined) stageFolder(at);
      else await stageOne(wanted, at, ownerFor(wanted.key, this.#input), signal);
      if (slice.isOver) await slice.next(signal);
    });
    const folders = this.#staged.flatMap((staged) => {
      const { wanted, to } = staged;
      return to === undefined ? [] : [{ wanted, at: staged.at, to }];
    });
    // The deepest first: what is made in a folder changes its time.
    for (const { wanted, at, to } of folders.toReversed()) {
      settleFolder(at, to, ownerFor(wanted.key, this.#input));
      if (slice.isOver) await slice.next(signal);
    }
    const files = this.#staged.filter(({ wanted }) => wanted.type === "file");
    await syncStaged(
      files,
      folders.map(({ at }) => at),
      this.#areas,
    );
  }
}
