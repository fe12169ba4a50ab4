import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { type StagedArtifact, toBundlePath } from "@keepsake/core";
import type { FileNames } from "./file-names.js";
import type { GitOutcome } from "./git-outcome.js";
import { type IndexContext, rewriteIndex } from "./rewrite-index.js";
import { isDropped, rewriteState, rewriteStatePath, type StateContext } from "./rewrite-state.js";

const INDEX = /^(?:worktrees\/[^/]+\/)?(?:index|sharedindex\.([0-9a-f]+))$/;
/** Files of git-lfs and git-annex: their names are digests of what is in them. */
const BULK = /^(?:lfs|annex)\//;
/** A larger one of those is not looked through, in bytes. */
const MAX_BULK_BYTES = 64 * 1024 * 1024;

type Context = StateContext & Pick<IndexContext, "linked"> & { readonly names: FileNames };

/** Rewrites the files of a git directory that are not objects, once the objects are. */
export class StateRedaction {
  readonly #context: Context;
  readonly #outcome: GitOutcome;
  /** "git/" and the repository's prefix, every byte a character */
  readonly #base: string;
  /** checksums of shared indexes, old and new; undefined for one that is left out */
  readonly #shared = new Map<string, string | undefined>();
  /** the files as they are now, by path below the git directory */
  readonly files = new Map<string, string>();

  constructor(context: Context, outcome: GitOutcome, base: string) {
    this.#context = context;
    this.#outcome = outcome;
    this.#base = base;
  }

  async run(state: ReadonlyMap<string, StagedArtifact>, signal?: AbortSignal): Promise<void> {
    // A split index names its shared part by a checksum.
    const sharedFirst = [...state].sort(([a], [b]) => Number(isShared(b)) - Number(isShared(a)));
    for (const [path, artifact] of sharedFirst) {
      signal?.throwIfAborted();
      if (isDropped(path) && !path.startsWith("objects/pack/")) this.#remove(artifact);
      else if (BULK.test(path)) await this.#bulk(artifact);
      else await this.#file(path, artifact);
    }
  }

  async #file(path: string, artifact: StagedArtifact): Promise<void> {
    const bytes = await readFile(artifact.file);
    const index = INDEX.exec(path);
    if (index !== null) {
      await this.#index(path, index[1], artifact, bytes);
      return;
    }
    const rewritten = await rewriteState(path, bytes, this.#context);
    if (rewritten === undefined) this.#leave(artifact, "binary");
    await this.#put(rewriteStatePath(path, this.#context), path, artifact, rewritten ?? bytes, bytes);
  }

  async #index(path: string, shared: string | undefined, artifact: StagedArtifact, bytes: Buffer): Promise<void> {
    const sharedOf = (checksum: string): string | undefined =>
      this.#shared.has(checksum) ? this.#shared.get(checksum) : checksum;
    const rewritten = rewriteIndex(bytes, { ...this.#context, sharedOf, isShared: shared !== undefined });
    if (rewritten === undefined) {
      if (shared !== undefined) this.#shared.set(shared, undefined);
      // Git makes a new one of HEAD: what was staged is staged no more.
      this.#remove(artifact);
      this.#leave(artifact, "index_left_out");
      return;
    }
    if (shared === undefined || rewritten === bytes) {
      await this.#put(path, path, artifact, rewritten, bytes);
      return;
    }
    const checksum = rewritten.toString("hex", rewritten.length - this.#context.kind.bytes);
    this.#shared.set(shared, checksum);
    await this.#put(path.replace(shared, checksum), path, artifact, rewritten, bytes);
  }

  async #bulk(artifact: StagedArtifact): Promise<void> {
    if ((await stat(artifact.file)).size > MAX_BULK_BYTES) {
      this.#leave(artifact, "too_large");
      return;
    }
    const bytes = await readFile(artifact.file);
    const redacted = await this.#context.redactor.document(bytes, artifact.pathInBundle);
    if (redacted === undefined) this.#leave(artifact, "binary");
    else if (redacted !== bytes) {
      this.#remove(artifact);
      const source = this.#base.slice(0, this.#base.indexOf("/"));
      const path = artifact.pathInBundle.slice(source.length + 1);
      this.#outcome.omitted.push({
        source,
        path,
        reason: "excluded",
        detail: "It holds a secret; its name is a digest.",
      });
    }
  }

  async #put(now: string, path: string, artifact: StagedArtifact, bytes: Buffer, before: Buffer): Promise<void> {
    this.files.set(asUtf8(now), artifact.file);
    if (bytes !== before) {
      const target = `${artifact.file}.redacted`;
      await writeFile(target, bytes, { flag: "wx", mode: 0o600 });
      await rename(target, artifact.file);
    }
    if (now === path) {
      if (bytes !== before) this.#outcome.touched.push(artifact.pathInBundle);
      return;
    }
    const { path: pathInBundle, ...encoding } = toBundlePath(Buffer.from(this.#base + now, "latin1"));
    this.#remove(artifact);
    this.#outcome.added.push({ pathInBundle, ...encoding, file: artifact.file, mode: 0o644, mtimeMs: 0 });
    this.#outcome.touched.push(pathInBundle);
  }

  #remove({ pathInBundle }: StagedArtifact): void {
    this.#outcome.removed.push(pathInBundle);
  }

  #leave({ pathInBundle }: StagedArtifact, reason: string): void {
    this.#outcome.unscanned.push({ path: pathInBundle, reason });
  }
}

function isShared(path: string): boolean {
  return INDEX.exec(path)?.[1] !== undefined;
}

/** A path whose bytes stand as characters of the same number, as text. */
export function asUtf8(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}
