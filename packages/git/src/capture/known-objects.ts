import { type BigIntStats, lstatSync } from "node:fs";
import { join } from "node:path";
import type { KnownFile } from "@keepsake/core";
import { TimeSlice, youngForMs } from "@keepsake/files";
import type { HashKind } from "../objects/hash-kind.js";
import { isIntactLoose, looseOid, readLooseFile } from "../objects/loose.js";

/** Certain to change when a file is written or replaced; undefined right after that, when another change might not show. */
export function markOf(stats: BigIntStats, nowMs: number): string | undefined {
  return youngForMs(stats, nowMs) > 0 ? undefined : identityOf(stats);
}

function identityOf({ dev, ino, mode, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, mode, size, mtimeNs, ctimeNs].map(String).join(" ");
}

function isIntactObject(file: string, oid: string | undefined, kind: HashKind): boolean {
  if (oid === undefined) return false;
  try {
    const { bytes } = readLooseFile(file);
    return bytes !== undefined && isIntactLoose(bytes, oid, kind);
  } catch {
    return false;
  }
}

/** A file of an earlier capture that is as it was. */
export interface KnownObjectFile {
  readonly mark: string;
  readonly stats: BigIntStats;
}

/**
 * What of a folder `objects` is as an earlier capture brought it, which had everything that was needed: then whatever a known
 * object leads to is known, too. That holds for all of them or for none: where one is gone, others may lead to it.
 */
export class KnownObjects {
  static readonly NONE = new KnownObjects(new Map());
  readonly #files: ReadonlyMap<string, KnownObjectFile>;
  readonly #loose = new Set<string>();

  private constructor(files: ReadonlyMap<string, KnownObjectFile>) {
    this.#files = files;
    for (const path of files.keys()) {
      const oid = looseOid(`objects/${path}`);
      if (oid !== undefined) this.#loose.add(oid);
    }
  }

  /**
   * An object whose file is another one by now, or was only touched, as git does with one that it would have written, is not
   * known any more; with its id it is the same object.
   *
   * @param known of the whole source, by path; `prefix` leads to those of this folder, and ends with a slash
   */
  static async in(
    { objectsDir, kind }: { readonly objectsDir: string; readonly kind: HashKind },
    known: ReadonlyMap<string, KnownFile>,
    prefix: string,
    signal: AbortSignal | undefined,
  ): Promise<KnownObjects> {
    const files = new Map<string, KnownObjectFile>();
    const slice = new TimeSlice();
    for (const [path, { mark }] of known) {
      if (!path.startsWith(prefix)) continue;
      if (slice.isOver) await slice.next(signal);
      const below = path.slice(prefix.length);
      const stats = lstatSync(join(objectsDir, below), { bigint: true, throwIfNoEntry: false });
      if (stats !== undefined && identityOf(stats) === mark) files.set(below, { mark, stats });
      else if (!isIntactObject(join(objectsDir, below), looseOid(`objects/${below}`), kind)) return KnownObjects.NONE;
    }
    return new KnownObjects(files);
  }

  /** @param path below the folder */
  get(path: string): KnownObjectFile | undefined {
    return this.#files.get(path);
  }

  hasLoose(oid: string): boolean {
    return this.#loose.has(oid);
  }

  /** @param name of a pack, without suffix */
  hasPack(name: string): boolean {
    return this.#files.has(`pack/${name}.pack`) && this.#files.has(`pack/${name}.idx`);
  }
}
