import { mkdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { sha256Hex } from "@keepsake/core";
import { bytesOfEntry, type FsPath, joinRaw, type Owner, parentOf, placeEntry, TimeSlice } from "@keepsake/files";
import { type LooseFile, looseOid } from "../objects/loose.js";
import { type ConfigEntry, isTrue, parseGitConfig } from "../repository/config-file.js";
import type { RepositoryPlace } from "../repository/locate.js";
import { type BundledFile, type BundledRepository, looseFileOf } from "./bundle-repositories.js";
import { linkIfSame } from "./link-if-same.js";
import { neutraliseConfig } from "./neutral-config.js";
import { Placements } from "./placement.js";

const SKELETON = ["objects/pack", "objects/info", "refs/heads", "refs/tags"];
const LONGEST_REF = 4096;
const REF = /^(?:[0-9a-f]{40}|[0-9a-f]{64}|ref: ?refs\/[^\0\n]+)?\s*$/;
const REFLOG_START = /^(?:[0-9a-f]{40} [0-9a-f]{40} |[0-9a-f]{64} [0-9a-f]{64} )/;

/** Builds one git directory out of a bundle, with nothing in it that could run a program. */
export class RepositoryStager {
  readonly #repository: BundledRepository;
  readonly #into: string;
  readonly #live: RepositoryPlace | undefined;
  readonly #hooks: string[] = [];
  readonly #settings: string[] = [];
  readonly #others: string[] = [];
  readonly #loose = new Map<string, BundledFile>();
  readonly #folders = new Set<FsPath>();

  /** @param into does not exist yet */
  constructor(repository: BundledRepository, into: string, live: RepositoryPlace | undefined) {
    this.#repository = repository;
    this.#into = into;
    this.#live = live;
  }

  /** All but the small loose objects: whether those are needed shows when the rest is there. @returns what the user should know */
  async build(signal?: AbortSignal): Promise<readonly string[]> {
    this.#makeFolder(this.#into);
    for (const folder of SKELETON) this.#makeFolder(`${this.#into}/${folder}`);
    const placements = new Placements(this.#repository.files);
    const slice = new TimeSlice();
    for (const file of this.#repository.files) {
      if (slice.isOver) await slice.next(signal);
      signal?.throwIfAborted();
      const placement = placements.of(file);
      const isKept = placement.as === "plain" && file.entry.bytes !== undefined;
      const oid = isKept ? looseOid(file.path) : undefined;
      if (oid !== undefined) this.#loose.set(oid, file);
      else if (placement.as !== "dropped") await this.#place(file, placement.as);
      else if (placement.because !== undefined) this.#others.push(`${file.path} was left out: ${placement.because}.`);
    }
    return this.#notices();
  }

  /** The loose objects that {@link placeLoose} would place, to be read where they are. */
  *loose(): Generator<readonly [oid: string, file: LooseFile]> {
    for (const [oid, { entry }] of this.#loose) {
      const file = looseFileOf(entry);
      if (file !== undefined) yield [oid, file];
    }
  }

  /** Places the loose objects. One that the live repository has just so is not written again. */
  async placeLoose(owner: Owner | undefined, signal?: AbortSignal): Promise<void> {
    const slice = new TimeSlice();
    // The objects of a linked worktree are another repository's, which stays.
    const isOwn = this.#live !== undefined && this.#live.layout !== "linked";
    for (const file of this.#loose.values()) {
      if (slice.isOver) await slice.next(signal);
      const target = joinRaw(this.#into, file.raw);
      this.#makeFolder(parentOf(target));
      const to = { mode: readable(file), mtimeMs: file.entry.meta.mtimeMs, owner };
      if (isOwn && linkIfSame(file.entry, this.#livePath(file), target, to)) continue;
      await placeEntry(file.entry, target, { ...to, signal });
    }
  }

  async #place(
    file: BundledFile,
    as: "plain" | "config" | "hook" | "todo" | "ref" | "reflog" | "pointer",
  ): Promise<void> {
    const { meta } = file.entry;
    const target = joinRaw(this.#into, file.raw);
    if (meta.type === "directory") {
      this.#makeFolder(target);
      return;
    }
    this.#makeFolder(parentOf(target));
    if (meta.type === "symlink") symlinkSync(meta.linkTarget ?? "", target);
    else if (as === "config") await this.#placeConfig(file, target);
    else if (as === "hook") await this.#placeHook(file, target);
    else if (as === "todo") await this.#placeTodo(file, target);
    else if (as === "plain" || (await this.#isWellFormed(file, as))) await this.#move(file, target, readable(file));
    else this.#others.push(`${file.path} was left out: it is not what its name says.`);
  }

  async #move({ entry }: BundledFile, target: FsPath, mode: number): Promise<void> {
    await placeEntry(entry, target, { mode: mode | 0o400, mtimeMs: entry.meta.mtimeMs });
  }

  #makeFolder(folder: FsPath): void {
    if (this.#folders.has(folder)) return;
    mkdirSync(folder, { recursive: true });
    this.#folders.add(folder);
  }

  async #placeConfig(file: BundledFile, target: FsPath): Promise<void> {
    const trusted = parseGitConfig(this.#liveBytes(file)?.toString("utf8") ?? "") ?? [];
    // A linked worktree or submodule comes back as a plain repository, for which these two would be wrong.
    const misplaced = ({ section, key, value }: ConfigEntry): boolean =>
      this.#repository.layout === "linked" &&
      section === "core" &&
      (key === "worktree" || (key === "bare" && isTrue(value ?? "true")));
    const { text, disabled } = neutraliseConfig(await textOf(file), trusted, misplaced);
    this.#settings.push(...disabled);
    await writePlain(target, text, file);
  }

  async #placeHook(file: BundledFile, target: FsPath): Promise<void> {
    const { mode } = file.entry.meta;
    const name = file.path.slice(file.path.lastIndexOf("/") + 1);
    if (this.#isTrustedHook(file)) {
      await this.#move(file, target, mode);
      return;
    }
    const runs = (mode & 0o111) !== 0 && !name.endsWith(".sample") && !name.endsWith(".disabled");
    if (runs) this.#hooks.push(name);
    await this.#move(
      file,
      runs ? Buffer.concat([Buffer.from(target), Buffer.from(".disabled")]) : target,
      readable(file),
    );
  }

  async #placeTodo(file: BundledFile, target: FsPath): Promise<void> {
    const text = await textOf(file);
    const live = this.#liveBytes(file);
    const neutral =
      live?.equals(Buffer.from(text)) === true ? text : text.replace(/^(?=[ \t]*(?:exec|x)(?:[ \t]|$))/gm, "# ");
    if (neutral !== text) this.#others.push(`${file.path}: commands of a rebase in progress were disabled.`);
    await writePlain(target, neutral, file);
  }

  async #isWellFormed({ entry }: BundledFile, as: "ref" | "reflog" | "pointer"): Promise<boolean> {
    if (as !== "reflog" && entry.meta.sizeBytes > LONGEST_REF) return false;
    const bytes = await bytesOfEntry(entry);
    if (bytes === undefined) return false;
    if (as === "reflog") return bytes.length === 0 || REFLOG_START.test(bytes.toString("latin1", 0, 140));
    const text = bytes.toString("utf8");
    if (as === "ref") return REF.test(text);
    return entry.path.endsWith("gitdir") || text.trim() === "../..";
  }

  #isTrustedHook(file: BundledFile): boolean {
    const live = this.#liveBytes(file);
    if (live === undefined || sha256Hex(live) !== file.entry.meta.sha256) return false;
    return (statSync(this.#livePath(file)).mode & 0o111) !== 0;
  }

  #livePath(file: BundledFile): FsPath {
    return joinRaw(this.#live?.commonDir ?? "/nonexistent", file.raw);
  }

  #liveBytes(file: BundledFile): Buffer | undefined {
    if (this.#live === undefined) return undefined;
    try {
      return readFileSync(this.#livePath(file));
    } catch {
      return undefined;
    }
  }

  #notices(): readonly string[] {
    const where = this.#repository.folder === "" ? "" : `${this.#repository.folder}: `;
    const notices = [...this.#others];
    if (this.#hooks.length > 0) {
      notices.push(`Hooks were disabled (renamed to <name>.disabled): ${this.#hooks.join(", ")}.`);
    }
    if (this.#settings.length > 0) {
      const names = [...new Set(this.#settings)].join(", ");
      notices.push(`Settings of the repository's configuration were disabled: ${names}.`);
    }
    if (this.#repository.layout === "linked") {
      notices.push("The repository was a linked worktree or a submodule; it comes back as one of its own.");
    }
    return notices.map((notice) => `${where}${notice}`);
  }
}

async function textOf({ entry }: BundledFile): Promise<string> {
  return (await bytesOfEntry(entry))?.toString("utf8") ?? "";
}

/** The mode that a file had, less what would make it a program; its owner can read it. */
function readable({ entry }: BundledFile): number {
  return (entry.meta.mode & 0o666) | 0o400;
}

/** With the mode it had: a configuration that holds a password is read by nobody else. */
async function writePlain(target: FsPath, text: string, file: BundledFile): Promise<void> {
  await writeFile(target, text, { mode: 0o600 });
  await chmod(target, readable(file));
}
