import { access, constants, mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type BundleStore,
  type Clock,
  errnoOf,
  isKeepsakeError,
  type JsonObject,
  type KeepsakeError,
  parseAgentId,
  parseTenantId,
  type SnapshotRecord,
} from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { OrphanSweep } from "../catalog/orphan-sweep.js";
import { Reindex } from "../catalog/reindex.js";
import { SnapshotCatalog } from "../catalog/snapshot-catalog.js";
import { digestKey, lockName } from "../layout.js";
import type { DoctorFinding, DoctorReport, DoctorRequest, OperationOptions } from "../memory-snapshotter.js";
import { namesIn } from "../snapshot/names-in.js";
import { ENGINE_CLOCK, WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";

/** A newest snapshot older than this is called stale, in days. */
const STALE_DAYS = 7;
const DAY_MS = 86_400_000;

const HINT_DAMAGED =
  "Bring it back from another copy with `keepsake import`, which heals it, or with `keepsake sync` from a store that has it.";
/** Not to delete it: what is missing may be on a disk that is not there, and the record is what finds it again. */
const HINT_MISSING =
  "See whether the place of the store is the right one, and all there. Else bring it back from another copy with `keepsake import` or `keepsake sync`.";

/** Says what is wrong with state root, stores, locks and snapshots, and what to do. Changes nothing unless asked. */
@injectable()
export class DoctorOperation {
  readonly #workspace: Workspace;
  readonly #reindex: Reindex;
  readonly #clock: Clock;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(Reindex) reindex: Reindex,
    @inject(ENGINE_CLOCK) clock: Clock,
  ) {
    this.#workspace = workspace;
    this.#reindex = reindex;
    this.#clock = clock;
  }

  async run(request: DoctorRequest, options: OperationOptions): Promise<DoctorReport> {
    const findings: DoctorFinding[] = [await this.#checkStateRoot(), ...(await this.#checkJournals())];
    for (const store of this.#workspace.stores) {
      if (request.reindex === true) findings.push(...(await this.#reindex.run(store, request, options)));
      findings.push(...(await this.#checkStore(store, options)));
    }
    findings.push(...(await this.#inspect("locks", "The locks", this.#workspace.locks, options)));
    return { ok: findings.every(({ status }) => status !== "problem"), findings };
  }

  async #checkStateRoot(): Promise<DoctorFinding> {
    const { stateRoot } = this.#workspace;
    const name = "state_root";
    try {
      await mkdir(stateRoot, { recursive: true, mode: 0o700 });
      await access(stateRoot, constants.R_OK | constants.W_OK | constants.X_OK);
      return { name, status: "ok", message: `${stateRoot} is writable.` };
    } catch (error) {
      const reason = errnoOf(error) ?? String(error);
      return {
        name,
        status: "problem",
        message: `${stateRoot} cannot be used (${reason}).`,
        hint: "Give this user write access, or choose another place with --root.",
      };
    }
  }

  async #checkJournals(): Promise<DoctorFinding[]> {
    const findings: DoctorFinding[] = [];
    const root = join(this.#workspace.stateRoot, "journals");
    for (const tenant of await namesIn(root)) {
      for (const file of await namesIn(join(root, tenant))) {
        if (!file.endsWith(".json")) continue;
        const agent = file.slice(0, -".json".length);
        findings.push(await this.#checkJournal(tenant, agent));
      }
    }
    return findings;
  }

  /** A journal whose agent is locked by a living process is a restore that runs right now. */
  async #checkJournal(tenant: string, agent: string): Promise<DoctorFinding> {
    const ref = { tenant: parseTenantId(tenant), agent: parseAgentId(agent) };
    // Locks that cannot be asked are a finding of their own; `recover` asks them again.
    const holder = await this.#workspace.locks.holder?.(lockName(ref)).catch(ignoreTyped);
    const details = { tenant, agent };
    if (holder?.alive === true) {
      return { name: "restore", status: "ok", message: `A restore of ${agent} is running.`, details };
    }
    return {
      name: "restore",
      status: "problem",
      message: `A restore of ${agent} was interrupted.`,
      hint: `Run \`keepsake recover --agent ${agent}\`; any other operation on this agent does the same first.`,
      details,
    };
  }

  async #checkStore(store: BundleStore, options: OperationOptions): Promise<DoctorFinding[]> {
    const name = "store";
    try {
      const { snapshots, unreadable } = await new SnapshotCatalog(store).list(undefined, options);
      const bodies = await this.#checkBodies(store, snapshots, options);
      return [
        { name, status: "ok", message: `${store.describe()}: ${String(snapshots.length)} snapshots.` },
        ...unreadable.map(({ key, code, message }) => unreadableRecord(key, code, message)),
        ...(await this.#checkOrphans(store, options)),
        ...bodies,
        ...this.#checkAgents(snapshots),
        ...(await this.#inspect("store", store.describe(), store, options)),
        ...proofs(snapshots),
      ];
    } catch (error) {
      if (!isKeepsakeError(error)) throw error;
      return [unusable(name, `${store.describe()} cannot be read: ${error.message}`, error)];
    }
  }

  /** What a store or the locks say of their place themselves. */
  async #inspect(
    name: string,
    what: string,
    place: Pick<BundleStore, "inspect">,
    { signal }: OperationOptions,
  ): Promise<readonly DoctorFinding[]> {
    try {
      return (await place.inspect?.({ signal })) ?? [];
    } catch (error) {
      if (!isKeepsakeError(error)) throw error;
      return [unusable(name, `${what} cannot be tried out: ${error.message}`, error)];
    }
  }

  async #checkBodies(
    store: BundleStore,
    snapshots: readonly SnapshotRecord[],
    options: OperationOptions,
  ): Promise<DoctorFinding[]> {
    const findings: DoctorFinding[] = [];
    for (const record of snapshots) {
      const body = await store.head(record.bundlePath, { signal: options.signal });
      if (body?.sizeBytes === record.bundleSizeBytes) {
        if ((await store.head(digestKey(record.bundlePath), { signal: options.signal })) === undefined) {
          findings.push(digestMissing(record));
        }
        continue;
      }
      const details = { id: record.id, key: record.bundlePath };
      const what = body === undefined ? "is missing" : "has another size than its record says";
      findings.push({
        name: "bundle",
        status: "problem",
        message: `The bundle of ${record.id} ${what}.`,
        hint: body === undefined ? HINT_MISSING : HINT_DAMAGED,
        details,
      });
    }
    return findings;
  }

  async #checkOrphans(store: BundleStore, options: OperationOptions): Promise<DoctorFinding[]> {
    const orphans = await new OrphanSweep(store).find(undefined, { signal: options.signal });
    return orphans
      .filter(({ parts }) => parts.part === "bundle")
      .map(({ key, sizeBytes }) => ({
        name: "orphan",
        status: "warning" as const,
        message: `${key} has no record: an upload in flight, or left by a crash.`,
        hint: "`keepsake doctor --reindex` gives it a record again if it is whole; `keepsake recover` removes it after a day.",
        details: { key, size_bytes: sizeBytes },
      }));
  }

  #checkAgents(snapshots: readonly SnapshotRecord[]): DoctorFinding[] {
    const newest = new Map<string, SnapshotRecord>();
    for (const record of snapshots) {
      const name = `${record.tenant}/${record.agentId}`;
      if (!newest.has(name)) newest.set(name, record);
    }
    return [...newest.values()].flatMap((record) => this.#checkNewest(record));
  }

  #checkNewest(record: SnapshotRecord): DoctorFinding[] {
    const findings: DoctorFinding[] = [];
    const details: JsonObject = { tenant: record.tenant, agent: record.agentId, id: record.id };
    const ageDays = Math.floor((this.#clock.now() - record.createdAtMs) / DAY_MS);
    if (ageDays > STALE_DAYS) {
      const message = `The newest snapshot of ${record.agentId} is ${String(ageDays)} days old.`;
      findings.push({
        name: "staleness",
        status: "warning",
        message,
        hint: "Take one with `keepsake snapshot`.",
        details,
      });
    }
    if (!record.complete) {
      const message = `The newest snapshot of ${record.agentId} is incomplete.`;
      const hint = `See \`keepsake show --agent ${record.agentId} latest\` for what is missing.`;
      findings.push({ name: "completeness", status: "warning", message, hint, details });
    }
    return findings;
  }
}

/** Of each agent: which snapshot was last seen to be restorable. None is no fault, but good to know. */
function proofs(snapshots: readonly SnapshotRecord[]): DoctorFinding[] {
  const byAgent = new Map<string, SnapshotRecord[]>();
  for (const record of snapshots) {
    const name = `${record.tenant}/${record.agentId}`;
    byAgent.set(name, [...(byAgent.get(name) ?? []), record]);
  }
  return [...byAgent.values()].flatMap((records) => proofOf(records));
}

function proofOf(newestFirst: readonly SnapshotRecord[]): DoctorFinding[] {
  const [newest] = newestFirst;
  if (newest === undefined) return [];
  const { tenant, agentId: agent } = newest;
  const proven = newestFirst.find(({ provenAtMs }) => provenAtMs !== undefined);
  const found = { name: "proof", status: "ok" } as const;
  if (proven !== undefined) {
    const message = `The newest snapshot of ${agent} that was proven restorable is ${proven.id}.`;
    return [{ ...found, message, details: { tenant, agent, id: proven.id } }];
  }
  const message = `No snapshot of ${agent} was ever proven restorable.`;
  const hint = `Prove one with \`keepsake verify --agent ${agent} latest --deep\`.`;
  return [{ ...found, message, hint, details: { tenant, agent } }];
}

function ignoreTyped(error: unknown): undefined {
  if (!isKeepsakeError(error)) throw error;
}

function unusable(name: string, message: string, { code, hint }: KeepsakeError): DoctorFinding {
  return { name, status: "problem", message, details: { code }, ...(hint === undefined ? {} : { hint }) };
}

function digestMissing({ id, bundlePath, fileSha256 }: SnapshotRecord): DoctorFinding {
  return {
    name: "digest",
    status: "problem",
    message: `The bundle of ${id} has no .sha256 beside it: it neither verifies nor restores.`,
    hint: "Bring it back from another copy with `keepsake import` or `keepsake sync`, or write the digest of its record beside it.",
    details: { id, key: digestKey(bundlePath), file_sha256: fileSha256 },
  };
}

function unreadableRecord(key: string, code: string, message: string): DoctorFinding {
  return {
    name: "record",
    status: "problem",
    message: `${key} cannot be read: ${message}`,
    hint:
      code === "E_FORMAT_TOO_NEW"
        ? "Update keepsake."
        : "`keepsake doctor --reindex` makes it again from its bundle; `keepsake sync` takes it from another store that has it.",
    details: { key, code },
  };
}
