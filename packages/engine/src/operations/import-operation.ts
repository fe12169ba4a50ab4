import {
  type AgentRef,
  type BundleStore,
  isKeepsakeError,
  KeepsakeError,
  type OpOptions,
  parseSnapshotId,
  type SnapshotId,
  type SnapshotRecord,
} from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { agentRefOf } from "../agent-ref.js";
import { AgentSession } from "../agent-session.js";
import { originInFile } from "../bundle/bundle-origin.js";
import { BundleReader } from "../bundle/bundle-reader.js";
import { checkOwner } from "../bundle/check-owner.js";
import { publishBytes } from "../bundle/bundle-writer.js";
import { sameBytes } from "../bundle/same-bytes.js";
import { clearUnfinishedImport, healBundle } from "../catalog/heal-bundle.js";
import { SnapshotCatalog } from "../catalog/snapshot-catalog.js";
import { bundleKey, recordKey } from "../layout.js";
import type { ImportRequest, OperationOptions } from "../memory-snapshotter.js";
import { WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";

/** Takes a bundle file into the store, byte for byte, once every check of it passed. */
@injectable()
export class ImportOperation {
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

  async run(request: ImportRequest, options: OperationOptions): Promise<SnapshotRecord> {
    const ref = agentRefOf(request);
    const { store, lock, limits, encryption } = await this.#workspace.storeOf(ref);
    const origin = originInFile(request.bundleFile);
    return this.#session
      .run(ref, lock.timeoutMs, options, async (held, locked) => {
        const identityFiles = request.identityFiles ?? [];
        const { signal } = locked;
        const onBytes = (bytesDone: number, bytesTotal: number) =>
          options.onProgress?.({ phase: "verify", bytesDone, bytesTotal });
        const { manifest, fileSha256 } = await this.#reader.readVerified(
          origin,
          {
            manifest: (parsed) => {
              checkOwner(parsed.manifest, ref);
            },
          },
          { identityFiles, limits, signal, onBytes },
        );
        const id = parseSnapshotId(manifest.snapshotId);
        const known = await recordOfId(store, ref, id, { signal });
        if (known !== undefined) {
          await held.assertHeld();
          return await healBundle(store, known, origin, { fileSha256, signal });
        }
        const codecs = await this.#workspace.decoders(origin.fileName, identityFiles);
        const suffixes = codecs.map((codec) => codec.suffix).toReversed();
        const { body } = await origin.open(signal);
        const publication = {
          ref,
          id,
          store,
          signal,
          privateLabel: encryption.privateLabels && manifest.encryption !== undefined,
          assertHeld: () => held.assertHeld(),
        };
        const same = sameBytes(body, fileSha256, origin.label);
        const ids = codecs.map((codec) => codec.id).toReversed();
        const key = bundleKey(ref, id, suffixes.join(""));
        await held.assertHeld();
        await clearUnfinishedImport(store, key, id, { fileSha256, signal });
        return await publishBytes(same, key, manifest, ids, publication);
      })
      .catch((error: unknown) => {
        throw isKeepsakeError(error, "E_NOT_FOUND")
          ? new KeepsakeError("E_NOT_FOUND", `There is no bundle ${request.bundleFile}.`, { cause: error })
          : error;
      });
  }
}

/** @returns undefined when there is no such snapshot */
async function recordOfId(
  store: BundleStore,
  ref: AgentRef,
  id: SnapshotId,
  options: OpOptions,
): Promise<SnapshotRecord | undefined> {
  if ((await store.head(recordKey(ref, id), options)) === undefined) return undefined;
  return new SnapshotCatalog(store).resolve(ref, id, options);
}
