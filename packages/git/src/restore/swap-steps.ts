import { mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { KeepsakeError } from "@keepsake/core";
import { attributesOf, fromJsonPath, lookAt, type Owner, type SwapStep } from "@keepsake/files";
import { isGitName } from "../repository/claims.js";
import type { RepositoryPlace } from "../repository/locate.js";

/** Collects the steps of one restore; each that sets something aside gets a name of its own. */
export class SwapSteps {
  readonly steps: SwapStep[] = [];
  readonly #aside: string;
  #count = 0;

  /** @param aside a private folder on the file system of the live data; it exists */
  constructor(aside: string) {
    this.#aside = aside;
  }

  /** `staged` takes the place of what may be at `live`. */
  put(live: string, staged: string): void {
    this.steps.push({ do: "put", live, staged, undo: this.#name() });
  }

  remove(live: string): void {
    this.steps.push({ do: "remove", live, undo: this.#name() });
  }

  /** A repository goes; of a bare one that shares its folder with other files, git's own names. */
  async removeRepository(place: RepositoryPlace): Promise<void> {
    if (place.layout !== "bare" || place.folder !== "") this.remove(place.at);
    else for (const name of await readdir(place.at)) if (isGitName(name)) this.remove(join(place.at, name));
  }

  /** A bare repository's entries take the places of those that are in `folder`; other files there stay. */
  async putBare(folder: string, staged: string): Promise<void> {
    const incoming = new Set(await readdir(staged));
    for (const name of await readdir(folder).catch(() => [])) {
      if (isGitName(name) && !incoming.has(name)) this.remove(join(folder, name));
    }
    for (const name of [...incoming].sort()) this.put(join(folder, name), join(staged, name));
  }

  /**
   * Makes the folders from `root` down to `folder` where they are not there.
   *
   * @throws KeepsakeError `E_UNSAFE_PATH` when a link or a file is in the way: what is put below it would land elsewhere
   */
  async makeFolders(root: string, folder: string, owner: Owner | undefined): Promise<void> {
    let path = root;
    for (const segment of ["", ...folder.split("/").filter((part) => part !== "")]) {
      if (segment !== "") path = join(path, segment);
      const stats = await lookAt(path);
      if (stats?.isDirectory() === false && segment !== "") throw inTheWay(path);
      if (stats === undefined) this.steps.push({ do: "make_dir", live: path, mode: 0o755, owner });
    }
  }

  /** Nothing but the repositories changes: the folders they are in keep their times. */
  async keepFolderTimes(): Promise<void> {
    const changed = this.steps.filter((step) => step.do !== "set");
    const folders = new Set(changed.map(({ live }) => dirname(fromJsonPath(live).toString())));
    for (const live of folders) {
      const stats = await lookAt(live);
      if (stats?.isDirectory() !== true) continue;
      const before = attributesOf(stats);
      this.steps.push({ do: "set", live, to: before, before });
    }
  }

  #name(): string {
    return join(this.#aside, String(this.#count++));
  }
}

/** The folder for what is set aside. */
export async function makeAside(staging: string): Promise<string> {
  const aside = join(staging, "old");
  await mkdir(aside, { recursive: true, mode: 0o700 });
  return aside;
}

function inTheWay(path: string): KeepsakeError {
  return new KeepsakeError("E_UNSAFE_PATH", `A repository belongs below ${JSON.stringify(path)}, which is no folder.`, {
    context: { path },
    hint: "Move the file or link away and restore again.",
  });
}
