import { setImmediate as nextTurn } from "node:timers/promises";
import type { GitObject } from "../objects/git-object.js";
import type { ObjectStore } from "../objects/object-store.js";
import type { PackWriter } from "../objects/pack-writer.js";
import { MODE_GITLINK, MODE_TREE, parseCommit, parseTag, parseTree } from "../objects/parse.js";
import type { ContentRedactor } from "./content-redactor.js";
import type { FileNames } from "./file-names.js";
import { rewriteCommitOrTag } from "./rewrite-commit.js";
import { rewriteNotesTree } from "./rewrite-notes.js";
import { encodeTree, rewriteEntries } from "./rewrite-tree.js";

/** What an object is after the rewrite. */
const UNSEEN = 0;
const SAME = 1;
const CHANGED = 2;

const STEPS_A_TURN = 256;

/** What a rewrite works with. */
export interface HistoryParts {
  readonly store: ObjectStore;
  readonly writer: PackWriter;
  readonly redactor: ContentRedactor;
  readonly names: FileNames;
  readonly shallow: ReadonlySet<string>;
  /** the name that a tag has now */
  readonly tagNameOf: (name: string) => string;
  /** the id that a commit of another repository has now */
  readonly linked: (oid: string) => string;
  /** the path in the bundle of a file of the working tree: allowed paths mean these */
  readonly pathOf: (path: string) => string;
}

/** An object to come to, and where it lies in the tree that led to it. */
interface Step {
  readonly oid: string;
  readonly path: string;
  /** the first that led to it */
  readonly commit?: string;
}

/**
 * Rewrites what is reachable from some roots, from the blobs up: an object is written anew when its own text or something it
 * points to changed, and keeps its id otherwise. One object at a time is in memory, and a byte for each.
 */
export class HistoryRewrite {
  readonly #parts: HistoryParts;
  readonly #states: Uint8Array;
  readonly #changed = new Map<string, string>();
  readonly #changedCommits = new Map<string, string>();
  readonly #unscanned = new Set<string>();
  #commits = 0;
  #signaturesLost = 0;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
    this.#states = new Uint8Array(parts.store.slots);
  }

  /** old and new ids of all objects that are others now */
  get changed(): ReadonlyMap<string, string> {
    return this.#changed;
  }

  /** old and new ids of the commits that are others now */
  get changedCommits(): ReadonlyMap<string, string> {
    return this.#changedCommits;
  }

  get counts(): { readonly commits: number; readonly signaturesLost: number } {
    return { commits: this.#commits, signaturesLost: this.#signaturesLost };
  }

  /** paths of files, and kinds of messages, that are no text in some commit */
  get unscanned(): readonly string[] {
    return [...this.#unscanned].sort();
  }

  get hasChanges(): boolean {
    return this.#changed.size > 0;
  }

  /** The id that an object has now. */
  oidOf(oid: string): string {
    return this.#changed.get(oid) ?? oid;
  }

  /** True when an object is reachable and stayed as it is. */
  isSame(oid: string): boolean {
    const slot = this.#parts.store.slotOf(oid);
    return slot !== undefined && this.#states[slot] === SAME;
  }

  /** @param areNotes the trees of these commits name objects: such names are ids, and change with them */
  async walk(oid: string, path = "", areNotes = false, signal?: AbortSignal): Promise<void> {
    const stack: Step[] = [{ oid, path }];
    for (let steps = 1; stack.length > 0; steps++) {
      if (steps % STEPS_A_TURN === 0) {
        await nextTurn();
        signal?.throwIfAborted();
      }
      const step = stack.at(-1);
      if (step === undefined || !this.#isPending(step.oid)) {
        stack.pop();
        continue;
      }
      const object = this.#parts.store.read(step.oid);
      if (object === undefined) {
        // Damaged, or of a partial clone: what pointed to it keeps doing so, and no file of it is carried.
        this.#mark(step.oid, CHANGED);
        continue;
      }
      const before = stack.length;
      for (const child of this.#children(step, object, areNotes)) if (this.#isPending(child.oid)) stack.push(child);
      if (stack.length === before) await this.#rewrite(step, object, areNotes);
    }
  }

  /** Writes the objects that stay and whose pack does not. */
  async carry(oids: Iterable<string>, signal?: AbortSignal): Promise<void> {
    let steps = 0;
    for (const oid of oids) {
      if (!this.isSame(oid)) continue;
      if (++steps % STEPS_A_TURN === 0) {
        await nextTurn();
        signal?.throwIfAborted();
      }
      const object = this.#parts.store.read(oid);
      if (object !== undefined) this.#parts.writer.add(object);
    }
  }

  #isPending(oid: string): boolean {
    const slot = this.#parts.store.slotOf(oid);
    return slot !== undefined && this.#states[slot] === UNSEEN;
  }

  /** What has to be settled first; the last one is come to first: a commit's files, before older ones of the same path. */
  #children({ oid, path, ...from }: Step, object: GitObject, areNotes: boolean): Step[] {
    const { kind } = this.#parts.store;
    switch (object.type) {
      case "blob":
        return [];
      case "tree":
        return this.#entries(object).map(({ name, oid: child }) => ({ ...from, oid: child, path: joined(path, name) }));
      case "tag": {
        const target = parseTag(object, kind);
        return target === undefined ? [] : [{ oid: target, path: "" }];
      }
      case "commit": {
        const commit = parseCommit(object, kind);
        if (commit === undefined) return [];
        const parents = this.#parts.shallow.has(oid) ? [] : [...commit.parents].reverse();
        const own = areNotes ? this.#noteBlobs(commit.tree) : [{ oid: commit.tree, path: "" }];
        const files = own.map((file) => ({ ...file, commit: oid }));
        return [...parents.map((parent) => ({ oid: parent, path: "" })), ...files];
      }
    }
  }

  #entries(tree: GitObject | undefined) {
    return (parseTree(tree, this.#parts.store.kind) ?? []).filter(({ mode }) => mode !== MODE_GITLINK);
  }

  #noteBlobs(tree: string): Step[] {
    return this.#entries(this.#parts.store.read(tree)).flatMap(({ mode, oid }) =>
      mode === MODE_TREE ? this.#noteBlobs(oid) : [{ oid, path: "" }],
    );
  }

  async #rewrite({ oid, path, commit }: Step, object: GitObject, areNotes: boolean): Promise<void> {
    switch (object.type) {
      case "blob":
        this.#settle(oid, object, await this.#rewriteBlob(object, path, commit));
        return;
      case "tree":
        this.#settle(oid, object, this.#rewriteTree(object));
        return;
      case "tag":
      case "commit": {
        if (object.type === "commit") this.#commits++;
        if (areNotes && object.type === "commit") this.#rewriteNotes(object);
        const redactor = this.#parts.redactor.of(object.type === "commit" ? oid : undefined);
        const context = { ...this.#parts, redactor, oidOf: (id: string) => this.oidOf(id) };
        const { data, lostSignature, isUnscanned } = await rewriteCommitOrTag(object.data, object.type, context);
        if (lostSignature) this.#signaturesLost++;
        if (isUnscanned) this.#unscanned.add(`${object.type} message`);
        this.#settle(oid, object, { type: object.type, data });
        if (object.type === "commit" && this.#changed.has(oid)) this.#changedCommits.set(oid, this.oidOf(oid));
      }
    }
  }

  async #rewriteBlob(blob: GitObject, path: string, commit: string | undefined): Promise<GitObject> {
    const data = await this.#parts.redactor.of(commit).document(blob.data, this.#parts.pathOf(path));
    if (data === undefined) this.#unscanned.add(path);
    return data === undefined || data === blob.data ? blob : { type: "blob", data };
  }

  #rewriteTree(tree: GitObject): GitObject {
    const entries = parseTree(tree, this.#parts.store.kind);
    if (entries === undefined) return tree;
    const changed = rewriteEntries(entries, this.#parts.names, (id) => this.oidOf(id), this.#parts.linked);
    return changed === undefined ? tree : { type: "tree", data: encodeTree(changed) };
  }

  /** Notes of commits are found by the commit's id, which is their name in the tree. */
  #rewriteNotes(commit: GitObject): void {
    const root = parseCommit(commit, this.#parts.store.kind)?.tree;
    if (root === undefined || !this.#isPending(root)) return;
    const { trees, isSame, write } = rewriteNotesTree(root, this.#parts.store, (id) => this.oidOf(id));
    if (isSame) {
      for (const oid of trees) this.#mark(oid, SAME);
      return;
    }
    for (const oid of trees) if (this.#isPending(oid)) this.#mark(oid, CHANGED);
    this.#changed.set(root, write(this.#parts.writer));
  }

  #settle(oid: string, original: GitObject, rewritten: GitObject): void {
    if (original.data === rewritten.data || original.data.equals(rewritten.data)) {
      this.#mark(oid, SAME);
      return;
    }
    this.#mark(oid, CHANGED);
    this.#changed.set(oid, this.#parts.writer.add(rewritten));
  }

  #mark(oid: string, state: number): void {
    const slot = this.#parts.store.slotOf(oid);
    if (slot !== undefined) this.#states[slot] = state;
  }
}

function joined(folder: string, name: Buffer): string {
  return folder === "" ? name.toString("utf8") : `${folder}/${name.toString("utf8")}`;
}
