import { type BundleStore, isKeepsakeError, parseAgentId, parseTenantId, type SnapshotRecord } from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { AgentSession } from "../agent-session.js";
import { originInStore } from "../bundle/bundle-origin.js";
import { BundleReader } from "../bundle/bundle-reader.js";
import { checkOwner } from "../bundle/check-owner.js";
import type { DoctorFinding, DoctorRequest, OperationOptions } from "../memory-snapshotter.js";
import { WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";
import { brokenRecords } from "./broken-records.js";
import { type Orphan, OrphanSweep } from "./orphan-sweep.js";
import { recordOf } from "./record-of.js";
import { SnapshotCatalog } from "./snapshot-catalog.js";

/** How the store gets the record. */
type WriteRecord = (record: SnapshotRecord, signal: AbortSignal) => Promise<void>;

/** Gives bodies without a record, or with one that cannot be read, their record again, when every check of them passes. */
@injectable()
export class Reindex {
  readonly #workspace: Workspace;
  readonly #session: AgentSession;
  readonly #reader: BundleReader;

  constructor(
    @inject(WORKSPACE) workspace: Workspace,
    @inject(AgentSession) session: AgentSession,
    @inject(BundleReader) reader: BundleReader,
  ) {
    this.#workspace = workspace;
    this.#session = session;
    this.#reader = reader;
  }

  async run(store: BundleStore, request: DoctorRequest, options: OperationOptions): Promise<DoctorFinding[]> {
    const findings: DoctorFinding[] = [];
    const publish: WriteRecord = (record, signal) => new SnapshotCatalog(store).publish(record, { signal });
    const renew: WriteRecord = (record, signal) => new SnapshotCatalog(store).renew(record, { signal });
    for (const orphan of await new OrphanSweep(store).find(undefined, options)) {
      if (orphan.parts.part === "bundle") findings.push(await this.#index(store, orphan, request, options, publish));
    }
    for (const { parts, bundles } of await brokenRecords(store, options)) {
      const [key] = bundles;
      // Of two bundles with one id nothing here tells which the record was of.
      if (key === undefined || bundles.length > 1) continue;
      findings.push(await this.#index(store, { key, parts }, request, options, renew));
    }
    return findings;
  }

  async #index(
    store: BundleStore,
    { key, parts }: Pick<Orphan, "key" | "parts">,
    request: DoctorRequest,
    options: OperationOptions,
    write: WriteRecord,
  ): Promise<DoctorFinding> {
    const name = "reindex";
    try {
      const ref = { tenant: parseTenantId(parts.tenant), agent: parseAgentId(parts.agent) };
      const { lock, limits, encryption } = await this.#workspace.storeOf(ref);
      await this.#session.run(ref, lock.timeoutMs, options, async (held, { signal }) => {
        const origin = originInStore(store, key);
        const identityFiles = request.identityFiles ?? [];
        const bundle = await this.#reader.readVerified(
          origin,
          {
            manifest: ({ manifest }) => {
              checkOwner(manifest, ref);
            },
          },
          { identityFiles, limits, signal },
        );
        const codecs = await this.#workspace.decoders(origin.fileName, identityFiles);
        const record = recordOf(bundle.manifest, {
          bundlePath: key,
          sizeBytes: bundle.sizeBytes,
          fileSha256: bundle.fileSha256,
          codecs: codecs.map((codec) => codec.id).toReversed(),
          privateLabel: encryption.privateLabels && bundle.manifest.encryption !== undefined,
        });
        await held.assertHeld();
        await write(record, signal);
      });
      return { name, status: "ok", message: `${key} has a record again.`, details: { key } };
    } catch (error) {
      if (!isKeepsakeError(error)) throw error;
      return {
        name,
        status: "warning",
        message: `${key} gets no record: ${error.message}`,
        details: { key, code: error.code },
        ...(error.hint === undefined ? {} : { hint: error.hint }),
      };
    }
  }
}
