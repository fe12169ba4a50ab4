import { performance } from "node:perf_hooks";
import type { AgentRef, Logger } from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { uuidv7 } from "uuidv7";
import { AgentSession } from "../agent-session.js";
import type { BundleOrigin } from "../bundle/bundle-origin.js";
import { BundleReader, type ReadOptions } from "../bundle/bundle-reader.js";
import type { VerifyCheck } from "../memory-snapshotter.js";
import { judgeFailure } from "../judge-failure.js";
import { PrivateStaging } from "../snapshot/private-staging.js";
import { ENGINE_LOGGER, WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";
import { proveRestorable } from "./prove-restorable.js";
import { UnpackedBundle } from "./unpacked-bundle.js";

/** The check `restorable`, and how long its unpacking and staging took, in milliseconds, when it passed. */
export interface RestoreProof {
  readonly check: VerifyCheck;
  readonly restoreMs?: number;
}

/** Proves that a bundle can be restored, in scratch. */
@injectable()
export class RestoreProver {
  readonly #workspace: Workspace;
  readonly #session: AgentSession;
  readonly #reader: BundleReader;
  readonly #logger: Logger;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(AgentSession) session: AgentSession,
    @inject(BundleReader) reader: BundleReader,
    @inject(ENGINE_LOGGER) logger: Logger,
  ) {
    this.#workspace = workspace;
    this.#session = session;
    this.#reader = reader;
    this.#logger = logger;
  }

  /** @param worthIt false when an earlier check did not pass: then nothing is tried */
  async prove(ref: AgentRef, origin: BundleOrigin, worthIt: boolean, reading: ReadOptions): Promise<RestoreProof> {
    const name = "restorable";
    if (!worthIt) return { check: { name, status: "not_checked", detail: "An earlier check did not pass." } };
    const { lock } = await this.#workspace.storeOf(ref);
    try {
      // The lock keeps what is unpacked from being swept by another operation.
      const restoreMs = await this.#session.run(ref, lock.timeoutMs, { signal: reading.signal }, (_held, { signal }) =>
        this.prepare(ref, origin, { ...reading, signal }),
      );
      return { check: { name, status: "ok" }, restoreMs };
    } catch (error) {
      const failure = judgeFailure(error);
      this.#logger.warn("a bundle cannot be restored", { bundle: origin.label, code: failure.code });
      return { check: { name, ...failure } };
    }
  }

  /**
   * Unpacks and stages it all in scratch; the caller holds the agent's lock.
   *
   * @returns how long it took, in milliseconds
   * @throws KeepsakeError what a restore would throw
   */
  async prepare(ref: AgentRef, origin: BundleOrigin, reading: ReadOptions): Promise<number> {
    const startedAt = performance.now();
    const { sources } = await this.#workspace.interpretersOf(ref);
    await using staging = await PrivateStaging.make(this.#workspace.stateRoot, ref, uuidv7());
    const unpacked = await UnpackedBundle.unpack(this.#reader, origin, staging, reading);
    await proveRestorable(unpacked, sources, ref, staging, { signal: reading.signal });
    return Math.round(performance.now() - startedAt);
  }
}
