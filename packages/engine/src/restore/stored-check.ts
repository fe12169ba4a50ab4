import {
  type AgentRef,
  type Clock,
  digestOf,
  isKeepsakeError,
  KeepsakeError,
  type Logger,
  parseSnapshotId,
  type SnapshotRecord,
} from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import type { LockedOptions } from "../agent-session.js";
import { originInStore } from "../bundle/bundle-origin.js";
import { markRecord, withMarks } from "../catalog/check-marks.js";
import { ENGINE_CLOCK, ENGINE_LOGGER } from "../tokens.js";
import type { AgentProfile, VerifyAfter } from "../workspace.js";
import { RestoreProver } from "./restore-prover.js";

/** Looks at a snapshot right after it was stored, as far as the configuration asks for. */
@injectable()
export class StoredCheck {
  readonly #prover: RestoreProver;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(
    @inject(RestoreProver) prover: RestoreProver,
    @inject(ENGINE_CLOCK) clock: Clock,
    @inject(ENGINE_LOGGER) logger: Logger,
  ) {
    this.#prover = prover;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * The caller holds the agent's lock.
   *
   * @returns the record, with what was found
   * @throws KeepsakeError `E_INTEGRITY` when other bytes were stored than were written; with "restorable" also what a
   *   restore would throw. The snapshot stays
   */
  async run(
    { ref, store, limits }: Pick<AgentProfile, "ref" | "store" | "limits">,
    record: SnapshotRecord,
    how: VerifyAfter,
    identityFiles: readonly string[],
    options: LockedOptions,
  ): Promise<SnapshotRecord> {
    if (how === "none") return record;
    const { signal } = options;
    options.onProgress?.({ phase: "verify", bytesDone: 0 });
    const origin = originInStore(store, record.bundlePath);
    const { sha256 } = await digestOf((await origin.open(signal)).body);
    if (sha256 !== record.fileSha256) throw storedOtherwise(record);
    if (how === "stored") return record;
    const restoreMs = await this.#prove(ref, record, () =>
      this.#prover.prepare(ref, origin, { identityFiles, limits, signal }),
    );
    if (restoreMs === undefined) return record;
    const marks = { verified: "passed", proven: { restoreMs }, atMs: this.#clock.now() } as const;
    const noting = { signal, logger: this.#logger };
    return (await markRecord(store, ref, parseSnapshotId(record.id), marks, noting)) ?? withMarks(record, marks);
  }

  /** An encrypted one can be looked into only with the key, which need not be on this machine. */
  async #prove(ref: AgentRef, { id, encrypted }: SnapshotRecord, prove: () => Promise<number>) {
    try {
      return await prove();
    } catch (error) {
      const closed = isKeepsakeError(error, "E_IDENTITY") || isKeepsakeError(error, "E_DECRYPT");
      if (!encrypted || !closed) throw error;
      this.#logger.warn("an encrypted snapshot could not be proven restorable: no key that opens it is here", {
        agent: ref.agent,
        id,
      });
      return undefined;
    }
  }
}

function storedOtherwise({ id }: SnapshotRecord): KeepsakeError {
  return new KeepsakeError("E_INTEGRITY", `The snapshot ${id} was not stored as it was written.`, { context: { id } });
}
