import { join } from "node:path";
import { parseArtifactPath, sha256Hex, type StateItem } from "@keepsake/core";
import { writeNewFileNow } from "@keepsake/files";
import type { StagedArtifactFile } from "../bundle/staged-bundle.js";
import type { PrivateStaging } from "./private-staging.js";

/** The bundle folder of state values. No source may have this id. */
export const STATE_FOLDER = "state";

/** Writes each state value as `state/<key>.json`. */
export async function stageState(
  items: readonly StateItem[],
  staging: PrivateStaging,
  atMs: number,
): Promise<StagedArtifactFile[]> {
  const folder = await staging.folder("stage-state");
  const staged: StagedArtifactFile[] = [];
  for (const { key, value } of items) {
    const file = join(folder, key);
    const bytes = Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
    writeNewFileNow(file, bytes);
    const digest = { sizeBytes: bytes.length, sha256: sha256Hex(bytes) };
    const pathInBundle = parseArtifactPath(`${STATE_FOLDER}/${key}.json`);
    const meta = { pathInBundle, kind: `state_${key}`, source: STATE_FOLDER, type: "file" as const };
    staged.push({ meta: { ...meta, ...digest, mode: 0o600, mtimeMs: atMs }, file });
  }
  return staged;
}
