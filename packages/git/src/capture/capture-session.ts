import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type {
  CaptureSession,
  CaptureTarget,
  OpOptions,
  PathClaim,
  SourceEntry,
  SourceFacts,
  WatchedPlace,
} from "@keepsake/core";
import { bundlePrefix, NESTED } from "../repository/bundle-layout.js";
import { claimsOf } from "../repository/claims.js";
import { isomorphicGitVersion } from "../repository/isomorphic.js";
import type { RepositoryPlace } from "../repository/locate.js";
import { listState } from "../repository/state-files.js";
import { type CapturePlace, withModules } from "./capture-place.js";
import { EntryNames } from "./entry-names.js";
import { RepositoryCapture } from "./repository-capture.js";
import { watchedPlaces } from "./watched.js";

/** Captures the repositories of one memory. */
export class GitCaptureSession implements CaptureSession {
  readonly claims: readonly PathClaim[];
  readonly watched: readonly WatchedPlace[];
  readonly #target: CaptureTarget;
  readonly #places: readonly RepositoryPlace[];
  readonly #required: boolean;
  readonly #names = new EntryNames();
  /** all that were ever pinned, by their git directory */
  readonly #captures = new Map<string, RepositoryCapture>();
  #pinned: readonly RepositoryCapture[] = [];
  #isDisposed = false;

  constructor(
    target: CaptureTarget,
    places: readonly RepositoryPlace[],
    { claims, watched }: Pick<GitCaptureSession, "claims" | "watched">,
    required: boolean,
  ) {
    this.#target = target;
    this.#places = places;
    this.#required = required;
    this.claims = claims;
    this.watched = watched;
  }

  static async open(
    target: CaptureTarget,
    root: string,
    places: readonly RepositoryPlace[],
    required: boolean,
  ): Promise<GitCaptureSession> {
    const [claims, watched] = await Promise.all([claimsOf(places), watchedPlaces(root, places)]);
    return new GitCaptureSession(target, places, { claims, watched }, required);
  }

  /**
   * "held": refs, HEAD, index and reflogs are copied between two listings that are equal, and the objects that they need
   * never change and are kept by git. What is shown stays as it is although commits and repacks go on.
   */
  async pin({ signal }: OpOptions = {}): Promise<"held"> {
    this.#pinned = await this.#current();
    for (const capture of this.#pinned) await capture.pin(signal);
    return "held";
  }

  async freshen({ withinMs }: { readonly withinMs: number }): Promise<boolean> {
    const until = performance.now() + withinMs;
    this.#pinned = await this.#current();
    return this.#pinned.every((capture) => performance.now() < until && capture.pinNow());
  }

  /** What is copied stays: a later pin copies what moved. */
  async unpin(): Promise<void> {
    // Nothing is held.
  }

  /** Refs, HEAD, index and reflogs: that they did not move across the cut shows the pin to be of the same instant. */
  async fence(): Promise<string> {
    const places = this.#known?.map(({ place }) => place) ?? (await this.#repositories());
    return places.map((place) => listState(place).fingerprint).join("\n");
  }

  pinnedFence(): string | undefined {
    const marks = this.#pinned.map(({ fingerprint }) => fingerprint);
    return marks.includes(undefined) ? undefined : marks.join("\n");
  }

  async *entries({ signal }: OpOptions = {}): AsyncGenerator<SourceEntry> {
    // Without its copies an ended capture would show no repository at all.
    if (this.#isDisposed) throw new TypeError("This capture is closed.");
    if (this.#places.length === 0) yield { type: "absent", path: "HEAD", required: this.#required };
    for (const capture of this.#pinned) {
      for await (const entry of capture.entries(signal)) {
        const clash = capture.place.prefix === "" && (entry.path === NESTED || entry.path.startsWith(`${NESTED}/`));
        yield clash ? { type: "omitted", path: entry.path, reason: "excluded" } : entry;
      }
    }
  }

  async describe(): Promise<SourceFacts> {
    if (this.#places.length === 0) return {};
    const top = this.#pinned.find((capture) => capture.place.folder === "" && !capture.place.inner);
    return {
      ...(top?.head === undefined ? {} : { git: top.head }),
      facts: { repositories: this.#pinned.map((capture) => capture.facts) },
      toolVersions: { "isomorphic-git": await isomorphicGitVersion() },
    };
  }

  /** What is pinned, if there is certainly nothing else: told at once, since writers may be waiting. */
  get #known(): readonly RepositoryCapture[] | undefined {
    const mayHaveMore = this.#pinned.some(({ place }) => existsSync(join(place.gitDir, "modules")));
    return mayHaveMore || this.#pinned.length === 0 ? undefined : this.#pinned;
  }

  /** The captures of what is there now; one that was there before is the same, with all that it has copied. */
  async #current(): Promise<readonly RepositoryCapture[]> {
    if (this.#known !== undefined) return this.#known;
    const current: RepositoryCapture[] = [];
    for (const place of await this.#repositories()) {
      const key = `${place.prefix}\0${place.gitDir}`;
      const scratch = join(this.#target.scratchDir, String(this.#captures.size));
      const capture =
        this.#captures.get(key) ?? new RepositoryCapture(place, scratch, this.#names, this.#target.known ?? new Map());
      this.#captures.set(key, capture);
      current.push(capture);
    }
    return current;
  }

  async #repositories(): Promise<CapturePlace[]> {
    const found: CapturePlace[] = [];
    for (const place of this.#places) {
      found.push(...(await withModules({ ...place, prefix: bundlePrefix(place.folder), inner: false })));
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    for (let number = 0; number < this.#captures.size; number++) {
      await rm(join(this.#target.scratchDir, String(number)), { recursive: true, force: true });
    }
    this.#captures.clear();
    this.#pinned = [];
  }
}
