import { readFile, writeFile } from "node:fs/promises";
import type { StagedArtifact } from "@keepsake/core";

/**
 * Where the old and new ids of a rewritten history stand, below its git directory. Nothing of that name is captured, and a restore
 * places nothing that lies among the objects and is none.
 */
export const OID_MAP = "objects/redacted-oids";

/** Old ids by new ones of an earlier rewrite, as such a file has them. */
async function earlierMap(file: string): Promise<ReadonlyMap<string, string>> {
  const lines = (await readFile(file, "latin1")).split("\n").map((line) => line.split(" "));
  return new Map(lines.flatMap(([old, now]) => (old === undefined || now === undefined ? [] : [[old, now]])));
}

/**
 * Writes `<old id> <new id>` a line, sorted. What was rewritten before is told by the ids that it had at first.
 *
 * @param earlier the file that an earlier rewrite left
 * @returns false when there is nothing to write
 */
export async function writeOidMap(
  target: string,
  changed: ReadonlyMap<string, string>,
  earlier: StagedArtifact | undefined,
): Promise<boolean> {
  const before = earlier === undefined ? new Map<string, string>() : await earlierMap(earlier.file);
  const between = new Set(before.values());
  const all = [
    ...[...before].map(([old, now]) => [old, changed.get(now) ?? now] as const),
    ...[...changed].filter(([old]) => !between.has(old)),
  ];
  if (all.length === 0) return false;
  const lines = all.map(([old, now]) => `${old} ${now}\n`).sort();
  await writeFile(target, lines.join(""), { flag: "wx", mode: 0o600 });
  return true;
}
