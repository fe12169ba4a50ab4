import type { ArtifactReader, OpOptions, SourceDiff } from "@keepsake/core";
export async function diffSqlite(_a: ArtifactReader, _b: ArtifactReader, _o?: OpOptions): Promise<SourceDiff> {
  throw new Error("x");
}
