import { readFileSync, statSync } from "node:fs";
import { chmod, copyFile, lutimes, mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { errnoOf, sha256Hex } from "@keepsake/core";
import { type FsPath, joinRaw, parentOf } from "@keepsake/files";
import { type ConfigEntry, isTrue, parseGitConfig } from "../repository/config-file.js";
import type { RepositoryPlace } from "../repository/locate.js";
import type { BundledFile, BundledRepository } from "./bundle-repositories.js";
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

  /** @param into does not exist yet */
  constructor(repository: BundledRepository, into: string, live: RepositoryPlace | undefined) {
    this.#repository = repository;
    this.#into = into;
    this.#live = live;
  }

  /** @returns what the user should know */
  async build(signal?: AbortSignal): Promise<readonly string[]> {
    await mkdir(this.#into, { recursive: true, mode: 0o755 });
    for (const folder of SKELETON) await mkdir(`${this.#into}/${folder}`, { recursive: true });
    const placements = new Placements(this.#repository.files);
    for (const file of this.#repository.files) {
      signal?.throwIfAborted();
      const placement = placements.of(file);
      if (placement.as !== "dropped") await this.#place(file, placement.as);
      else if (placement.because !== undefined) this.#others.push(`${file.path} was left out: ${placement.because}.`);
    }
    return this.#notices();
  }

  async #place(
    file: BundledFile,
    as: "plain" | "config" | "hook" | "todo" | "ref" | "reflog" | "pointer",
  ): Promise<void> {
    const { meta } = file.entry;
    const target = joinRaw(this.#into, file.raw);
    if (meta.type === "directory") {
      await mkdir(target, { recursive: true });
      return;
    }
    await mkdir(parentOf(target), { recursive: true });
    if (meta.type === "symlink") await symlink(meta.linkTarget ?? "", target);
    else if (as === "config") await this.#placeConfig(file, target);
    else if (as === "hook") await this.#placeHook(file, target);
    else if (as === "todo") await this.#placeTodo(file, target);
    else if (as === "plain" || this.#isWellFormed(file, as)) await this.#move(file, target, meta.mode & 0o666);
    else this.#others.push(`${file.path} was left out: it is not what its name says.`);
  }

  async #move(file: BundledFile, target: FsPath, mode: number): Promise<void> {
    const { file: source, meta } = file.entry;
    if (source === undefined) return;
    try {
      await rename(source, target);
    } catch (error) {
      if (errnoOf(error) !== "EXDEV") throw error;
      await copyFile(source, target);
    }
    await chmod(target, mode | 0o400);
    await lutimes(target, new Date(meta.mtimeMs), new Date(meta.mtimeMs));
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
      mode & 0o666,
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

  #isWellFormed({ entry }: BundledFile, as: "ref" | "reflog" | "pointer"): boolean {
    if (entry.file === undefined) return false;
    if (as === "reflog") {
      return entry.meta.sizeBytes === 0 || REFLOG_START.test(readFileSync(entry.file).toString("latin1", 0, 140));
    }
    if (entry.meta.sizeBytes > LONGEST_REF) return false;
    const text = readFileSync(entry.file, "utf8");
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

async function textOf(file: BundledFile): Promise<string> {
  return file.entry.file === undefined ? "" : await readFile(file.entry.file, "utf8");
}

/** With the mode it had: a configuration that holds a password is read by nobody else. */
async function writePlain(target: FsPath, text: string, { entry }: BundledFile): Promise<void> {
  await writeFile(target, text, { mode: 0o600 });
  await chmod(target, (entry.meta.mode & 0o666) | 0o400);
}
