import { rm } from "node:fs/promises";
import {
  type AgentRef,
  fromSystemError,
  KeepsakeError,
  type OpOptions,
  type RestoreSession,
  type RestoreTarget,
} from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import type { RecoverReport } from "../memory-snapshotter.js";
import { WORKSPACE } from "../tokens.js";
import type { AgentProfile, Workspace } from "../workspace.js";
import { type JournalEntry, RestoreJournal } from "./restore-journal.js";
import { replayState } from "./replay-state.js";

type Recovered = RecoverReport["restores"][number];

/** Finishes or takes back a restore that was interrupted. The caller holds the agent's lock. */
@injectable()
export class RestoreRecovery {
  readonly #workspace: Workspace;

  constructor(@inject(WORKSPACE) workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** @returns undefined when there was nothing to recover */
  async recover(ref: AgentRef, options: OpOptions): Promise<Recovered | undefined> {
    const journal = new RestoreJournal(this.#workspace.stateRoot, ref);
    await journal.sweep();
    const entry = await journal.read();
    if (entry === undefined) return undefined;
    if (entry.phase !== "staging") {
      const profile = await this.#workspace.profile(ref, entry.memory);
      if (entry.phase === "intent") {
        await rollBack(entry, profile, options);
        await journal.noteTakenBack();
      } else await complete(entry, profile, options);
    }
    await endRestore(entry, journal);
    const outcome = entry.phase === "committed" ? "completed" : "rolled_back";
    return { agentId: ref.agent, tenant: ref.tenant, operationId: entry.operationId, outcome };
  }
}

/** Takes every source back, in reverse order; each part is idempotent. */
export async function rollBack(entry: JournalEntry, profile: AgentProfile, options: OpOptions): Promise<void> {
  for (const { source, plan } of entry.plans.toReversed()) {
    await using session = await sessionFor(source, entry, profile, options);
    await session.rollback(plan, options);
  }
  if (entry.state !== undefined) await replayState(profile, entry.state, "before", options);
}

/** Brings state and clean-up to their end after every source was committed. */
export async function complete(entry: JournalEntry, profile: AgentProfile, options: OpOptions): Promise<void> {
  if (entry.state !== undefined) await replayState(profile, entry.state, "to", options);
  for (const { source, plan } of entry.plans) {
    await using session = await sessionFor(source, entry, profile, options);
    await session.finish(plan, options);
  }
}

/** Removes what the restore kept beside the live data, then the journal. */
export async function endRestore(entry: JournalEntry, journal: RestoreJournal): Promise<void> {
  try {
    for (const dir of entry.stagingDirs) await rm(dir, { recursive: true, force: true });
  } catch (error) {
    throw fromSystemError(error, "What the restore kept beside the live data cannot be removed");
  }
  await journal.clear(entry.operationId);
}

async function sessionFor(
  id: string,
  entry: JournalEntry,
  profile: AgentProfile,
  options: OpOptions,
): Promise<RestoreSession> {
  const source = profile.sources.find((candidate) => candidate.id === id);
  if (source?.openRestore === undefined) {
    throw new KeepsakeError(
      "E_PLUGIN_UNKNOWN",
      `The interrupted restore needs the source ${id}, which is not configured.`,
      {
        context: { source: id, operation_id: entry.operationId },
        hint: "Restore the configuration that the restore was begun with, then run `keepsake recover`.",
      },
    );
  }
  return source.openRestore(recoveryTarget(entry, profile), options);
}

function recoveryTarget(entry: JournalEntry, profile: AgentProfile): RestoreTarget {
  return {
    agent: profile.ref,
    paths: profile.paths,
    operationId: entry.operationId,
    artifacts: [],
    claimed: [],
    live: false,
    stageBeside: () => Promise.reject(new TypeError("Nothing is staged in a recovery.")),
  };
}
