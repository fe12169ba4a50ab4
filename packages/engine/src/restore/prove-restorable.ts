import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type AgentRef, type ArtifactSource, type OpOptions, type PathClaim, type RestoreTarget } from "@keepsake/core";
import type { PrivateStaging } from "../snapshot/private-staging.js";
import { entriesOf } from "./entries-of.js";
import { sourcesToRestore } from "./sources-to-restore.js";
import type { UnpackedBundle } from "./unpacked-bundle.js";

/**
 * Makes every check that a restore of this bundle makes before it commits, against an empty scratch memory. Touches
 * nothing live.
 *
 * @throws KeepsakeError what a restore would throw: `E_DATABASE_DAMAGED`, `E_REPOSITORY_DAMAGED`, `E_PLUGIN_UNKNOWN`, …
 */
export async function proveRestorable(
  unpacked: UnpackedBundle,
  sources: readonly ArtifactSource[],
  agent: AgentRef,
  staging: PrivateStaging,
  options: OpOptions,
): Promise<void> {
  const scratch = await staging.folder("proof");
  const memory = join(scratch, "memory");
  await mkdir(memory, { mode: 0o700 });
  let places = 0;
  const stageBeside = async (): Promise<string> => {
    const place = join(scratch, `beside-${String(places++)}`);
    await mkdir(place, { mode: 0o700 });
    return place;
  };
  const claimed: PathClaim[] = [];
  for (const { source, open, wanted } of sourcesToRestore(sources, unpacked.sourceIds)) {
    const artifacts = unpacked.manifest.artifacts.filter((meta) => meta.source === source.id);
    const others = source.takes === "remainder" ? [...claimed] : [];
    const operationId = unpacked.manifest.snapshotId;
    const target: RestoreTarget = {
      agent,
      paths: { memory },
      operationId,
      artifacts,
      claimed: others,
      live: false,
      stageBeside,
    };
    await using session = await open(target, options);
    claimed.push(...session.claims);
    if (!wanted) continue;
    const { entries, omitted } = unpacked.reader(source.id);
    await session.stage(entriesOf(entries), omitted, options);
  }
  await unpacked.state();
}
