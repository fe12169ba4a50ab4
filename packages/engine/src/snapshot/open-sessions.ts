import type { ArtifactSource, CaptureSession, OpOptions, PathClaim } from "@keepsake/core";
import type { AgentProfile } from "../workspace.js";
import { disposeAll } from "./dispose-all.js";
import type { PrivateStaging } from "./private-staging.js";

/** A source and its open session. */
export interface OpenSession {
  readonly source: ArtifactSource;
  readonly session: CaptureSession;
}

/** The sessions of all sources of an agent, in the order in which they are held. */
export class OpenSessions implements AsyncDisposable {
  readonly all: OpenSession[] = [];
  readonly #profile: AgentProfile;
  readonly #staging: PrivateStaging;
  readonly #exact: boolean;

  private constructor(profile: AgentProfile, staging: PrivateStaging, exact: boolean) {
    this.#profile = profile;
    this.#staging = staging;
    this.#exact = exact;
  }

  static async open(
    profile: AgentProfile,
    staging: PrivateStaging,
    exact: boolean,
    options: OpOptions,
  ): Promise<OpenSessions> {
    const opened = new OpenSessions(profile, staging, exact);
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

  async unpin(options: OpOptions): Promise<void> {
    for (const { session } of this.all) await session.unpin?.(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await disposeAll(this.all.map(({ session }) => session));
  }

  async #openAll(options: OpOptions): Promise<void> {
    const { sources } = this.#profile;
    const claimed: PathClaim[] = [];
    for (const source of sources.filter((candidate) => candidate.takes !== "remainder")) {
      claimed.push(...(await this.#open(source, [], options)).claims);
    }
    for (const source of sources.filter((candidate) => candidate.takes === "remainder")) {
      const session = await this.#open(source, [...claimed], options);
      claimed.push(...session.claims);
    }
  }

  async #open(source: ArtifactSource, claimed: readonly PathClaim[], options: OpOptions): Promise<CaptureSession> {
    const { ref: agent, paths } = this.#profile;
    const scratchDir = await this.#staging.folder(`capture-${source.id}`);
    const session = await source.open({ agent, paths, scratchDir, claimed, exact: this.#exact }, options);
    this.all.push({ source, session });
    return session;
  }
}
