import {
  type AgentRef,
  type EventPublisher,
  fromSystemError,
  isKeepsakeError,
  type LifecycleEvent,
  type Lock,
  type Logger,
  type MutationEvent,
} from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { ORPHAN_GRACE_MS } from "./catalog/orphan-sweep.js";
import { lockName } from "./layout.js";
import type { OperationOptions } from "./memory-snapshotter.js";
import { RestoreRecovery } from "./restore/restore-recovery.js";
import { PrivateStaging } from "./snapshot/private-staging.js";
import { ENGINE_LOGGER, WORKSPACE } from "./tokens.js";
import type { Workspace } from "./workspace.js";

/** The options of an operation that also stops when the agent's lock is lost. */
export interface LockedOptions extends OperationOptions {
  readonly signal: AbortSignal;
}

/** Runs one operation at a time on an agent, on clean ground. */
@injectable()
export class AgentSession {
  readonly #workspace: Workspace;
  readonly #recovery: RestoreRecovery;
  readonly #logger: Logger;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(RestoreRecovery) recovery: RestoreRecovery,
    @inject(ENGINE_LOGGER) logger: Logger,
  ) {
    this.#workspace = workspace;
    this.#recovery = recovery;
    this.#logger = logger;
  }

  /**
   * Takes the agent's lock, finishes or undoes an interrupted restore, sweeps what crashes left, then runs `work`.
   *
   * @throws KeepsakeError `E_LOCKED`, `E_LOCK_LOST`, what recovery and `work` throw
   */
  async run<T>(
    ref: AgentRef,
    timeoutMs: number,
    options: OperationOptions,
    work: (lock: Lock, options: LockedOptions) => Promise<T>,
  ): Promise<T> {
    options.signal?.throwIfAborted();
    await using lock = await this.#workspace.locks.acquire(lockName(ref), { timeoutMs, signal: options.signal });
    const signal = options.signal === undefined ? lock.signal : AbortSignal.any([options.signal, lock.signal]);
    await this.#recovery.recover(ref, { signal });
    await this.#sweep(ref, signal);
    return await work(lock, { ...options, signal });
  }

  /** Tells every publisher; a publisher that fails or hangs changes nothing. */
  async publish(event: LifecycleEvent | MutationEvent): Promise<void> {
    await Promise.all(this.#workspace.publishers.map((publisher) => this.#tell(publisher, event)));
  }

  async #tell(publisher: EventPublisher, event: LifecycleEvent | MutationEvent): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error("no answer in time"));
      }, PUBLISH_TIMEOUT_MS);
    });
    try {
      await Promise.race([publisher.publish(event), limit]);
    } catch (error) {
      this.#logger.warn("an event could not be published", { publisher: publisher.id, reason: String(error) });
    } finally {
      clearTimeout(timer);
    }
  }

  async #sweep(ref: AgentRef, signal: AbortSignal): Promise<void> {
    try {
      await PrivateStaging.sweep(this.#workspace.stateRoot, ref);
    } catch (error) {
      throw fromSystemError(error, "What an earlier operation left in staging cannot be removed");
    }
    const { store } = await this.#workspace.storeOf(ref);
    try {
      await store.sweep?.({ olderThanMs: ORPHAN_GRACE_MS, signal });
    } catch (error) {
      // Unfinished uploads are invisible: they may wait, and a store that only reads stays usable.
      if (!isKeepsakeError(error)) throw error;
      this.#logger.debug("unfinished uploads could not be swept", { store: store.id, code: error.code });
    }
  }
}

const PUBLISH_TIMEOUT_MS = 5_000;
