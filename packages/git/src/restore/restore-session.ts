import { chmod, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type BundleEntry,
  KeepsakeError,
  type Omission,
  type OpOptions,
  type PathClaim,
  type PlannedChange,
  type RestorePlan,
  type RestoreSession,
  type RestoreTarget,
} from "@keepsake/core";
import { applySwap, type Owner, revertSwap, swapPlanFromJson, swapPlanToJson } from "@keepsake/files";
import { withModules } from "../capture/capture-place.js";
import { bundlePrefix } from "../repository/bundle-layout.js";
import { claimsOf, claimsOfBundle } from "../repository/claims.js";
import { type GitDir, openGitDir } from "../repository/git-dir.js";
import type { Layout, RepositoryPlace } from "../repository/locate.js";
import { type BundledRepository, bundledRepositories, placeOf } from "./bundle-repositories.js";
import { keepHeads } from "./keep-heads.js";
import { hasSeparateParts, isSameRepository } from "./same-repository.js";
import { RepositoryStager } from "./stage-repository.js";
import { makeAside, SwapSteps } from "./swap-steps.js";
import { isWholeSelected } from "./selected.js";
import { ownerOf, settleTree } from "./settle-tree.js";
import { verifyStaged } from "./verify-staged.js";

/** What is made ready in one call of `stage`. */
interface Staging {
  readonly folder: string;
  readonly swap: SwapSteps;
  readonly changes: PlannedChange[];
  readonly notices: string[];
  readonly damaged: ReadonlySet<string>;
  readonly signal: AbortSignal | undefined;
}

/** Puts the repositories of a bundle back, each by exchanging its git directory as a whole. */
export class GitRestoreSession implements RestoreSession {
  readonly claims: readonly PathClaim[];
  readonly #id: string;
  readonly #root: string;
  readonly #target: RestoreTarget;
  readonly #live: readonly RepositoryPlace[];
  #selected: ReadonlySet<string> | undefined;

  private constructor(
    id: string,
    root: string,
    target: RestoreTarget,
    live: readonly RepositoryPlace[],
    claims: readonly PathClaim[],
  ) {
    this.#id = id;
    this.#root = root;
    this.#target = target;
    this.#live = live;
    this.claims = claims;
  }

  static async open(
    id: string,
    root: string,
    target: RestoreTarget,
    live: readonly RepositoryPlace[],
  ): Promise<GitRestoreSession> {
    const coming = claimsOfBundle(id, root, target.artifacts);
    const selected = coming.filter(({ path }) => target.only?.has(path, "") ?? true);
    const claims = [...(await claimsOf(live)), ...selected];
    return new GitRestoreSession(id, root, target, live, claims);
  }

  needs(entry: BundleEntry): boolean {
    this.#selected ??= new Set(this.#coming().flatMap((one) => (this.#isSelected(one) ? [one.folder] : [])));
    return this.#selected.has(placeOf(entry).folder);
  }

  async stage(
    entries: AsyncIterable<BundleEntry>,
    omitted: readonly Omission[],
    { signal }: OpOptions = {},
  ): Promise<RestorePlan> {
    const all: BundleEntry[] = [];
    for await (const entry of entries) all.push(entry);
    const bundled = bundledRepositories(all);
    const repositories = bundled.filter((one) => this.#isSelected(one));
    const left = omitted.map(({ path }) => (path.startsWith(`${this.#id}/`) ? path.slice(this.#id.length + 1) : path));
    const outgoing = this.#live.filter(
      (place) =>
        this.#isSelected(place) &&
        !bundled.some((one) => samePlace(one, place)) &&
        !left.includes(`${bundlePrefix(place.folder)}HEAD`),
    );
    if (repositories.length + outgoing.length === 0) return { changes: [], data: { steps: [] }, notices: [] };
    const folder = join(await this.#target.stageBeside(this.#root, { signal }), `git-${this.#id}`);
    const staging: Staging = {
      folder,
      swap: new SwapSteps(await makeAside(folder)),
      changes: [],
      notices: [],
      damaged: new Set(omitted.flatMap(({ reason }, index) => (reason === "damaged" ? [left[index] ?? ""] : []))),
      signal,
    };
    for (const place of outgoing) await this.#remove(place, staging);
    for (const [number, repository] of repositories.entries()) await this.#stageOne(repository, number, staging);
    const { changes, notices, swap } = staging;
    await swap.keepFolderTimes();
    return { changes, data: swapPlanToJson({ steps: swap.steps }), notices };
  }

  async commit(plan: RestorePlan, { signal }: OpOptions = {}): Promise<void> {
    await applySwap(swapPlanFromJson(plan.data), signal);
  }

  async rollback(plan: RestorePlan): Promise<void> {
    await revertSwap(swapPlanFromJson(plan.data));
  }

  /** Nothing is left to do: what was set aside lies in the staging folder, which the engine removes. */
  async finish(): Promise<void> {
    // see above
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held.
  }

  /** The repositories of the bundle, without their files' bytes. */
  #coming(): readonly BundledRepository[] {
    const { artifacts } = this.#target;
    return bundledRepositories(artifacts.map((meta) => ({ meta, path: meta.pathInBundle.slice(this.#id.length + 1) })));
  }

  /** @throws KeepsakeError `E_UNSUPPORTED` when a part of the repository is selected */
  #isSelected(repository: { readonly folder: string; readonly layout: Layout }): boolean {
    const { only } = this.#target;
    return only === undefined || isWholeSelected(only, this.#root, repository);
  }

  async #remove(place: RepositoryPlace, { swap, changes, notices }: Staging): Promise<void> {
    using live = await openGitDir(place);
    if (live.format.unsupported !== undefined) {
      notices.push(`${shownPath(place)} was left as it is: ${live.format.unsupported}.`);
      return;
    }
    await swap.removeRepository(place);
    changes.push({ action: "delete", path: shownPath(place), detail: headOf(live) });
  }

  async #stageOne(repository: BundledRepository, number: number, staging: Staging): Promise<void> {
    const { swap, changes, notices, signal } = staging;
    const place = this.#live.find((one) => samePlace(repository, one));
    const dir = join(staging.folder, `new-${String(number)}`);
    const stager = new RepositoryStager(repository, dir, place);
    const own = [...(await stager.build(signal))];
    const prefix = bundlePrefix(repository.folder);
    const known = [...staging.damaged].some((path) => path.startsWith(prefix));
    const here = { folder: repository.folder, layout: repository.layout, at: dir, gitDir: dir, commonDir: dir };
    using staged = await openGitDir(here);
    for (const [oid, file] of stager.loose()) staged.store.addLoose(oid, file);
    own.push(...(await verifyStaged(staged, shownPath(repository), known, signal)));
    const [, ...modules] = await withModules({ ...here, prefix: "", inner: false });
    for (const inner of modules) {
      using module = await openGitDir(inner);
      own.push(...(await verifyStaged(module, join(shownPath(repository), inner.prefix), known, signal)));
    }
    using live = place === undefined ? undefined : await openGitDir(place);
    if (live?.format.unsupported !== undefined) throw unsupported(shownPath(repository), live.format.unsupported);
    if (live !== undefined && !(await hasSeparateParts(dir)) && (await isSameRepository(live, staged, signal))) return;
    const owner = await ownerOf(place?.gitDir ?? join(this.#root, repository.folder));
    await stager.placeLoose(owner, signal);
    if (live !== undefined) {
      own.push(...(await keepHeads(live, staged, dir, this.#target.operationId, signal)));
    }
    const mode = place === undefined ? undefined : await stat(place.gitDir);
    await chmod(dir, (mode?.mode ?? 0o755) & 0o777);
    await settleTree(dir, owner, signal);
    await this.#swapIn(repository, place, dir, swap, owner);
    const detail = live === undefined ? headOf(staged) : `${headOf(live)} → ${shortHead(staged)}`;
    changes.push({ action: place === undefined ? "create" : "replace", path: shownPath(repository), detail });
    notices.push(...own);
  }

  async #swapIn(
    { folder, layout }: BundledRepository,
    place: RepositoryPlace | undefined,
    dir: string,
    swap: SwapSteps,
    owner: Owner | undefined,
  ): Promise<void> {
    await swap.makeFolders(this.#root, folder, owner);
    const live = join(this.#root, folder);
    if (layout === "bare" && folder === "") await swap.putBare(live, dir);
    else if (layout === "bare") swap.put(live, dir);
    else swap.put(place?.at ?? join(live, ".git"), dir);
  }
}

/** A bare repository takes the place of a bare one alone; the other two both are at `.git`. */
function samePlace(a: { folder: string; layout: string }, b: { folder: string; layout: string }): boolean {
  return a.folder === b.folder && (a.layout === "bare") === (b.layout === "bare");
}

function shownPath({ folder, layout }: { readonly folder: string; readonly layout: string }): string {
  if (layout === "bare") return folder === "" ? "." : folder;
  return folder === "" ? ".git" : `${folder}/.git`;
}

function shortHead({ refs }: GitDir): string {
  return refs.head.oid?.slice(0, 7) ?? "unborn";
}

function headOf(repository: GitDir): string {
  return `HEAD ${shortHead(repository)}`;
}

function unsupported(name: string, why: string): KeepsakeError {
  return new KeepsakeError("E_UNSUPPORTED", `The live repository ${name} cannot be replaced safely: ${why}.`, {
    hint: "Move it away and restore again.",
  });
}
