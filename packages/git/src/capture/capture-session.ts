import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { CaptureSession, CaptureTarget, OpOptions, PathClaim, SourceEntry, SourceFacts } from "@keepsake/core";
import { bundlePrefix, NESTED } from "../repository/bundle-layout.js";
import { claimsOf } from "../repository/claims.js";
import { ISOMORPHIC_GIT_VERSION } from "../repository/isomorphic.js";
import type { RepositoryPlace } from "../repository/locate.js";
import { listState } from "../repository/state-files.js";
import { type CapturePlace, withModules } from "./capture-place.js";
import { EntryNames } from "./entry-names.js";
import { RepositoryCapture } from "./repository-capture.js";

/** Captures the repositories of one memory. */
export class GitCaptureSession implements CaptureSession {
  readonly claims: readonly PathClaim[];
  readonly #target: CaptureTarget;
  readonly #places: readonly RepositoryPlace[];
  readonly #required: boolean;
  readonly #captures: RepositoryCapture[] = [];
  #isDisposed = false;

  constructor(
    target: CaptureTarget,
    places: readonly RepositoryPlace[],
    claims: readonly PathClaim[],
    required: boolean,
  ) {
    this.#target = target;
    this.#places = places;
    this.#required = required;
    this.claims = claims;
  }

  static async open(
    target: CaptureTarget,
    places: readonly RepositoryPlace[],
    required: boolean,
  ): Promise<GitCaptureSession> {
    return new GitCaptureSession(target, places, await claimsOf(places), required);
  }

  /**
   * "held": refs, HEAD, index and reflogs are copied between two listings that are equal, and the objects that they need
   * never change and are kept by git. What is shown stays as it is although commits and repacks go on.
   */
  async pin({ signal }: OpOptions = {}): Promise<"held"> {
    const names = new EntryNames();
    for (const one of await this.#repositories()) {
      const scratch = join(this.#target.scratchDir, String(this.#captures.length));
      this.#captures.push(new RepositoryCapture(one, scratch, names));
    }
    for (const capture of this.#captures) await capture.pin(signal);
    return "held";
  }

  /** Refs, HEAD, index and reflogs: that they did not move across the cut shows the pin to be of the same instant. */
  async fence(): Promise<string> {
    return (await this.#repositories()).map((place) => listState(place).fingerprint).join("\n");
  }

  async *entries({ signal }: OpOptions = {}): AsyncGenerator<SourceEntry> {
    // Without its copies an ended capture would show no repository at all.
    if (this.#isDisposed) throw new TypeError("This capture is closed.");
    if (this.#places.length === 0) yield { type: "absent", path: "HEAD", required: this.#required };
    for (const capture of this.#captures) {
      for await (const entry of capture.entries(signal)) {
        const clash = capture.place.prefix === "" && (entry.path === NESTED || entry.path.startsWith(`${NESTED}/`));
        yield clash ? { type: "omitted", path: entry.path, reason: "excluded" } : entry;
      }
    }
  }

  async describe(): Promise<SourceFacts> {
    if (this.#places.length === 0) return {};
    const top = this.#captures.find((capture) => capture.place.folder === "" && !capture.place.inner);
    return {
      ...(top?.head === undefined ? {} : { git: top.head }),
      facts: { repositories: this.#captures.map((capture) => capture.facts) },
      toolVersions: { "isomorphic-git": ISOMORPHIC_GIT_VERSION },
    };
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
    for (const [number] of this.#captures.splice(0).entries()) {
      await rm(join(this.#target.scratchDir, String(number)), { recursive: true, force: true });
    }
  }
}
