import type { JsonObject } from "@keepsake/core";
import { inject, injectable } from "tsyringe";
import { agentRefOf } from "../agent-ref.js";
import { BundleReader } from "../bundle/bundle-reader.js";
import { locateBundle } from "../bundle/locate-bundle.js";
import type { OperationOptions, SnapshotRefRequest } from "../memory-snapshotter.js";
import { WORKSPACE } from "../tokens.js";
import type { Workspace } from "../workspace.js";

/** Shows a snapshot's manifest; reads no further than that. */
@injectable()
export class ShowOperation {
  readonly #workspace: Workspace;
  readonly #reader: BundleReader;

  constructor(@inject(WORKSPACE) workspace: Workspace, @inject(BundleReader) reader: BundleReader) {
    this.#workspace = workspace;
    this.#reader = reader;
  }

  async run(request: SnapshotRefRequest, { signal }: OperationOptions): Promise<JsonObject> {
    const ref = agentRefOf(request);
    const { store, limits } = await this.#workspace.storeOf(ref);
    const { origin } = await locateBundle(store, ref, request.ref, { signal });
    const reading = { identityFiles: request.identityFiles ?? [], limits, signal };
    return (await this.#reader.manifest(origin, reading)).wire;
  }
}
