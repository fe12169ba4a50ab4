import { chmod, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  type BundleEntry,
  foldedPath,
  fromSystemError,
  type Omission,
  type OpOptions,
  type PathClaim,
  type RestorePlan,
  type RestoreSession,
  type RestoreTarget,
} from "@keepsake/core";
import {
  applySwap,
  claimTest,
  fromJsonPath,
  fsyncDirectory,
  joinLatin1,
  joinRaw,
  lookAtNow,
  pathMatcher,
  revertSwap,
  swapPlanFromJson,
  swapPlanToJson,
  textOfKey,
} from "@keepsake/files";
import {
  type Desired,
  desiredTree,
  omittedKeys,
  rawPathOf,
  refuseCaseTwins,
  selectedTree,
  treeOf,
} from "./desired-tree.js";
import { holdsSame } from "./compare.js";
import { programsOfGit } from "./git-programs.js";
import { type LiveRules, type LiveTree, liveTree, rootNode } from "./live-tree.js";
import { refuseOpenDatabases } from "./open-databases.js";
import type { ResolvedOptions } from "./options.js";
import { parentKey, type Place } from "./plan-steps.js";
import { lookedAfter, planSwap } from "./planner.js";
import type { MemoryRoot } from "./root.js";
import type { Scope } from "./scope.js";
import { ignoresCase, makeArea, type StagingArea } from "./stage-files.js";

/** Puts a bundle's files back by a swap plan: staged beside the live tree, renamed into it. */
export class MemdirRestore implements RestoreSession {
  /** What is left over is nobody's claim. */
  readonly claims = [];
  readonly #target: RestoreTarget;
  readonly #root: MemoryRoot;
  readonly #scope: Scope;
  readonly #options: ResolvedOptions;
  readonly #others: readonly PathClaim[];

  constructor(
    target: RestoreTarget,
    root: MemoryRoot,
    scope: Scope,
    options: ResolvedOptions,
    others: readonly PathClaim[],
  ) {
    this.#target = target;
    this.#root = root;
    this.#scope = scope;
    this.#options = options;
    this.#others = others;
  }

  needs(entry: BundleEntry): boolean {
    return this.#selector()(rawPathOf(entry), entry.path);
  }

  async stage(
    entries: AsyncIterable<BundleEntry>,
    omitted: readonly Omission[],
    { signal }: OpOptions = {},
  ): Promise<RestorePlan> {
    const isSelected = this.#selector();
    const isDesiredSelected = ({ raw, path }: Desired): boolean => isSelected(raw, path);
    const whole = await desiredTree(entries);
    const all = this.#target.only === undefined ? whole : selectedTree(whole, isDesiredSelected);
    const programs = await programsOfGit(all, { root: this.#root.path, others: this.#others });
    const withheld = new Set(programs.map(({ key }) => key));
    const desired = withheld.size === 0 ? all : treeOf([...all.values()].filter(({ key }) => !withheld.has(key)));
    const rules = { root: this.#root, scope: this.#scope, options: this.#options, desired, isSelected, signal };
    const others = afterwards(this.#others);
    const live = await liveTree({ ...rules, others, omitted: new Set([...omittedKeys(omitted), ...withheld]) });
    const top = await rootNode(this.#root);
    const areas = new StagingAreas(this.#target, this.#root.path, top?.stats.dev, live);
    try {
      const foldCase = desired.size > 0 && (await ignoresCase(await areas.of("")));
      if (foldCase) refuseCaseTwins(desired);
      const accepts = this.#acceptor(foldCase);
      for (const program of programs) accepts(program);
      const { steps, changes } = await planSwap({
        root: this.#root.path,
        rootNode: top,
        desired,
        live,
        accepts,
        isSelected: isDesiredSelected,
        givesWay: ({ absolute }) => others.file(absolute),
        comesAlone: this.#aloneTest(foldCase),
        place: (key) => areas.place(key),
        isRoot: process.getuid?.() === 0,
        signal,
      });
      await areas.sync();
      refuseOpenDatabases(steps);
      const makeRoot = { do: "make_dir" as const, live: this.#root.path, mode: 0o700 };
      const plan = this.#root.exists || desired.size === 0 ? steps : [makeRoot, ...steps];
      return { changes, data: swapPlanToJson({ steps: plan }), notices: await noticesOf(programs, live, signal) };
    } catch (error) {
      throw fromSystemError(error, "The memory files could not be staged");
    }
  }

  async commit(plan: RestorePlan, { signal }: OpOptions = {}): Promise<void> {
    const swap = swapPlanFromJson(plan.data);
    // Somebody may have opened one since it was staged.
    refuseOpenDatabases(swap.steps);
    try {
      await applySwap(swap, signal);
    } catch (error) {
      throw fromSystemError(error, "The memory files could not be put in place");
    }
  }

  async rollback(plan: RestorePlan): Promise<void> {
    try {
      await revertSwap(swapPlanFromJson(plan.data));
    } catch (error) {
      throw fromSystemError(error, "The memory files could not be put back");
    }
  }

  /** Opens what was set aside, so that it can be removed with its place. */
  async finish(plan: RestorePlan): Promise<void> {
    for (const step of swapPlanFromJson(plan.data).steps) {
      if ("undo" in step) await openUp(fromJsonPath(step.undo));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open; what was staged is the engine's to remove.
  }

  /** The selection knows places as the target names them, not where a link of the memory leads. */
  #selector(): (relative: Buffer, path: string) => boolean {
    const { only, paths } = this.#target;
    if (only === undefined) return () => true;
    const root = resolve(paths.memory, this.#options.root);
    return (relative, path) => only.has(join(root, relative.toString("utf8")), path);
  }

  /** True for a folder that is no other source's, and has none of its places in it, which its plan may make first. */
  #aloneTest(foldCase: boolean): (folder: Desired) => boolean {
    const fold = (path: string): string => (foldCase ? foldedPath(path) : path);
    const shared = new Set<string>();
    for (const { path } of this.#others) {
      for (let at = fold(path); !shared.has(at); at = dirname(at)) shared.add(at);
    }
    return ({ key }) => !shared.has(fold(joinLatin1(this.#root.path, key).toString()));
  }

  /** Another source's place is not written by this one, however the bundle spells it. */
  #acceptor(foldCase: boolean): (desired: Desired) => boolean {
    const kept = pathMatcher(this.#options.keep, { anyFolder: true });
    const fold = (path: string): string => (foldCase ? foldedPath(path) : path);
    const staying = this.#others.filter(({ after }) => after !== "gone");
    const claimed = claimTest(staying.map((claim) => ({ ...claim, path: fold(claim.path) })));
    return ({ key, path, type }) => {
      const absolute = joinLatin1(this.#root.path, key);
      const spelled = foldCase ? fold(absolute.toString()) : absolute;
      // A folder that is another's by itself alone may well hold what is ours.
      if (claimed(spelled) && !(type === "directory" && !claimed(joinRaw(spelled, "x")))) {
        throw lookedAfter(path);
      }
      return !kept(textOfKey(key));
    };
  }
}

/** What the bundle wants git to obey is said, unless it is so already. */
async function noticesOf(
  programs: readonly Desired[],
  { nodes }: LiveTree,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const program of programs) {
    const node = nodes.get(program.key);
    const isSame = node !== undefined && (await holdsSame(node, program, signal));
    if (!isSame) left.push(program.path);
  }
  return left.map((path) => `${JSON.stringify(path)} was not restored: git could be made to run a program by it.`);
}

/** What becomes of other sources' places. A place that two claim stays taken while one of them does not leave it. */
function afterwards(claims: readonly PathClaim[]): LiveRules["others"] {
  const stays = claimTest(claims.filter(({ after }) => after !== "gone"));
  const leaves = claimTest(claims.filter(({ after }) => after === "gone"));
  return {
    gone: (path) => leaves(path) && !stays(path),
    file: claimTest(claims.filter(({ after }) => after === "file")),
  };
}

/** Private places on the file systems of the tree: beside its root, and in each other file system mounted in it. */
class StagingAreas {
  readonly #target: RestoreTarget;
  readonly #root: string;
  readonly #mounts: readonly string[];
  readonly #areas = new Map<string, Promise<StagingArea>>();
  #count = 0;

  constructor(target: RestoreTarget, root: string, rootDevice: number | undefined, live: LiveTree) {
    this.#target = target;
    this.#root = root;
    const deviceOf = (key: string): number | undefined => (key === "" ? rootDevice : live.nodes.get(key)?.stats.dev);
    this.#mounts = [...live.nodes.values()]
      .filter(({ key, type, stats }) => type === "directory" && stats.dev !== deviceOf(parentKey(key)))
      .map(({ key }) => key)
      .reverse();
  }

  of(key: string): Promise<StagingArea> {
    const mount = this.#mounts.find((at) => key.startsWith(`${at}/`)) ?? "";
    const known = this.#areas.get(mount);
    if (known !== undefined) return known;
    const dir = mount === "" ? this.#root : join(this.#root, Buffer.from(mount, "latin1").toString("utf8"));
    const made = this.#target.stageBeside(dir).then(makeArea);
    this.#areas.set(mount, made);
    return made;
  }

  async place(key: string): Promise<Place> {
    const { incoming, undo } = await this.of(key);
    const name = String(this.#count++);
    return { staged: join(incoming, name), undo: join(undo, name) };
  }

  async sync(): Promise<void> {
    for (const area of this.#areas.values()) await fsyncDirectory((await area).incoming);
  }
}

/** Gives the owner back the permission to remove what is in closed folders. */
async function openUp(path: string | Buffer): Promise<void> {
  if (lookAtNow(path)?.isDirectory() !== true) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path, { encoding: "buffer" })) await openUp(joinRaw(path, name));
}
