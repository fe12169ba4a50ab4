import { join } from "node:path";
import { parseArtifactPath, type StateItem, streamOf } from "@keepsake/core";
import { writeNewFile } from "@keepsake/files";
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
    const digest = await writeNewFile(file, streamOf(`${JSON.stringify(value, null, 2)}\n`), { sync: false });
    const pathInBundle = parseArtifactPath(`${STATE_FOLDER}/${key}.json`);
    const meta = { pathInBundle, kind: `state_${key}`, source: STATE_FOLDER, type: "file" as const };
    staged.push({ meta: { ...meta, ...digest, mode: 0o600, mtimeMs: atMs }, file });
  }
  return staged;
}
