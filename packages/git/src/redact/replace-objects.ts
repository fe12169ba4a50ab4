import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StagedArtifact } from "@keepsake/core";
import type { ObjectFiles, ObjectStore } from "../objects/object-store.js";
import type { PackWriter } from "../objects/pack-writer.js";
import type { HistoryRewrite } from "./history-rewrite.js";
import { objectFilesOf, type StagedFiles, type StagedPack } from "./staged-objects.js";

/** What becomes of the files of the objects. */
export interface ReplacedObjects {
  /** where the objects can be read now */
  readonly files: ObjectFiles;
  readonly removed: readonly StagedArtifact[];
  /** new files, by path below the git directory */
  readonly added: ReadonlyMap<string, string>;
  /** packs that could not be read at all */
  readonly damaged: readonly string[];
  /** files beside the packs that stay */
  readonly companions: ReadonlyMap<string, StagedArtifact>;
}

/**
 * A loose object stays when it is reachable and the same; a pack when all in it is. What is new, and what stays of the other
 * packs, goes into one new pack.
 *
 * @param scratch the folder in which the writer writes
 */
export async function replaceObjects(
  staged: StagedFiles,
  store: ObjectStore,
  rewrite: HistoryRewrite,
  writer: PackWriter,
  scratch: string,
  signal?: AbortSignal,
): Promise<ReplacedObjects> {
  const loose = new Map([...staged.loose].filter(([oid]) => rewrite.isSame(oid)));
  const packs = new Map<string, StagedPack>();
  const contents = new Map([...store.packs()].map(({ file, oids }) => [file, oids]));
  const damaged: string[] = [];
  let isPromisor = false;
  for (const [name, pack] of staged.packs) {
    const oids = contents.get(pack.get(".pack")?.file ?? "");
    if (oids?.every((oid) => rewrite.isSame(oid)) === true) {
      packs.set(name, pack);
      continue;
    }
    if (oids === undefined) damaged.push(name);
    if (pack.has(".promisor")) isPromisor = true;
    const only = oids?.filter((oid) => !loose.has(oid)) ?? [];
    await rewrite.carry(only, signal);
  }
  const written = writer.finish();
  const added = new Map<string, string>();
  if (written !== undefined) {
    added.set(`objects/pack/${written.name}.pack`, written.pack);
    added.set(`objects/pack/${written.name}.idx`, written.index);
    // Without it git takes objects that a partial clone lacks for lost.
    if (isPromisor) {
      const file = join(scratch, `${written.name}.promisor`);
      await writeFile(file, "", { flag: "wx", mode: 0o600 });
      added.set(`objects/pack/${written.name}.promisor`, file);
    }
  }
  const gone = [
    ...[...staged.loose].flatMap(([oid, artifact]) => (loose.has(oid) ? [] : [artifact])),
    ...[...staged.packs].flatMap(([name, pack]) => (packs.has(name) ? [] : [...pack.values()])),
  ];
  const companions = [...packs].flatMap(([name, pack]) =>
    [...pack].flatMap(([suffix, artifact]) =>
      suffix === ".keep" || suffix === ".promisor" ? [[`objects/pack/${name}${suffix}`, artifact] as const] : [],
    ),
  );
  const kept = objectFilesOf({ loose, packs });
  const fresh = written === undefined ? [] : [{ pack: written.pack, index: written.index }];
  return {
    files: { loose: kept.loose, packs: [...kept.packs, ...fresh] },
    removed: [...gone, ...staged.derived],
    added,
    damaged,
    companions: new Map(companions),
  };
}
