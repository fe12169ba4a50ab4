import type {
  ArtifactSource,
  ByteDigest,
  CaptureSession,
  KnownFile,
  OpOptions,
  PathClaim,
  WatchedPlace,
} from "@keepsake/core";
import type { AgentProfile } from "../workspace.js";
import { disposeAll } from "./dispose-all.js";
import type { PrivateStaging } from "./private-staging.js";

/** A source and its open session. */
export interface OpenSession {
  readonly source: ArtifactSource;
  readonly session: CaptureSession;
}

/** A file that an earlier snapshot has. */
export interface RecalledFile extends KnownFile, ByteDigest {
  /** see `StagedArtifactFile` */
  readonly recall?: (() => Promise<Buffer>) | undefined;
}

/** What each source brought at an earlier snapshot. */
export type KnownBySource = ReadonlyMap<string, ReadonlyMap<string, RecalledFile>>;

/** How sessions are opened. */
export interface OpeningOptions extends OpOptions {
  /** for an undo: sources tidy nothing */
  readonly exact?: boolean | undefined;
  /** what need not be read again */
  readonly known?: KnownBySource | undefined;
  /** told, before anything is pinned, of the places on which it depends what is captured; undefined where a source cannot tell */
  readonly onOpened?: ((watched: readonly WatchedPlace[] | undefined) => Promise<void>) | undefined;
}

/** The sessions of all sources of an agent, in the order in which they are held. */
export class OpenSessions implements AsyncDisposable {
  readonly all: OpenSession[] = [];
  readonly #profile: AgentProfile;
  readonly #staging: PrivateStaging;
  readonly #exact: boolean;
  readonly #known: KnownBySource | undefined;

  private constructor(profile: AgentProfile, staging: PrivateStaging, { exact = false, known }: OpeningOptions) {
    this.#profile = profile;
    this.#staging = staging;
    this.#exact = exact;
    this.#known = known;
  }

  static async open(profile: AgentProfile, staging: PrivateStaging, options: OpeningOptions): Promise<OpenSessions> {
    const opened = new OpenSessions(profile, staging, options);
    try {
      await opened.#openAll(options);
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** True when all of them can be pinned again. */
  get canUnpin(): boolean {
    return this.all.every(({ session }) => session.unpin !== undefined);
  }

  /** All on which it depends what is captured; undefined where a source cannot tell. */
  get watched(): readonly WatchedPlace[] | undefined {
    const watched = this.all.map(({ session }) => session.watched);
    return watched.includes(undefined) ? undefined : watched.flatMap((places = []) => [...places]);
  }

  async unpin(options: OpOptions): Promise<void> {
    for (const { session } of this.all) await session.unpin?.(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await disposeAll(this.all.map(({ session }) => session));
  }

  /** All that stand on their own at once: one waits for a process, another for the disk. What takes the rest comes after them. */
  async #openAll(options: OpOptions): Promise<void> {
    const { sources } = this.#profile;
    const own = sources.filter((source) => source.takes !== "remainder");
    const claimed = await this.#openAtOnce(own, options);
    for (const source of sources.filter((candidate) => candidate.takes === "remainder")) {
      const session = await this.#open(source, [...claimed], options);
      this.all.push({ source, session });
      claimed.push(...session.claims);
    }
  }

  /** @returns what they claim. @throws what the first one threw that could not be opened; the others can be disposed of then */
  async #openAtOnce(sources: readonly ArtifactSource[], options: OpOptions): Promise<PathClaim[]> {
    const outcomes = await Promise.allSettled(sources.map((source) => this.#open(source, [], options)));
    const failures: unknown[] = [];
    for (const [index, source] of sources.entries()) {
      const outcome = outcomes[index];
      if (outcome?.status === "fulfilled") this.all.push({ source, session: outcome.value });
      else failures.push(outcome?.reason);
    }
    if (failures.length > 0) throw failures[0];
    return this.all.flatMap(({ session }) => [...session.claims]);
  }

  async #open(source: ArtifactSource, claimed: readonly PathClaim[], options: OpOptions): Promise<CaptureSession> {
    const { ref: agent, paths } = this.#profile;
    const scratchDir = await this.#staging.folder(`capture-${source.id}`);
    const known = this.#known?.get(source.id);
    const target = { agent, paths, scratchDir, claimed, exact: this.#exact, ...(known === undefined ? {} : { known }) };
    return source.open(target, options);
  }
}
