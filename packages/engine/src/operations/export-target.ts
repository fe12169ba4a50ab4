import { lstat, rm, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  type ByteDigest,
  type ByteStream,
  errnoOf,
  fromSystemError,
  HashedStream,
  KeepsakeError,
  type OpOptions,
  sha256Hex,
  streamOf,
} from "@keepsake/core";
import { publishFile, readChunks, writeNewFile } from "@keepsake/files";

/** A bundle file to be written with its `.sha256`; neither overwrites anything. */
export class ExportTarget {
  readonly path: string;
  readonly #partial: string;

  private constructor(path: string, id: string) {
    this.path = path;
    // The snapshot's id is in it, so that only an export of the same snapshot, which its agent's lock excludes, has it too.
    this.#partial = join(dirname(path), `.keepsake-export-${id}-${sha256Hex(basename(path)).slice(0, 16)}.partial`);
  }

  /**
   * @param to a file, or an existing folder, in which the bundle keeps its own name
   * @param suffix ".tar" and what the codecs append: a file's name must end so, because it tells how to read the file
   * @throws KeepsakeError `E_ALREADY_EXISTS`, `E_NOT_FOUND` (no such folder), `E_USAGE` (wrong ending)
   */
  static async at(to: string, id: string, suffix: string): Promise<ExportTarget> {
    const isFolder = await stat(to).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    const path = isFolder ? join(to, `${id}${suffix}`) : to;
    if (!isFolder && /[\\/]$/.test(to)) throw noFolder(to, to);
    if (!basename(path).endsWith(suffix)) {
      throw new KeepsakeError(
        "E_USAGE",
        `There is no folder ${to}, and a bundle's name must end in ${suffix}: it tells how to read the file.`,
        { context: { to, suffix }, hint: `Make the folder first, or name a file that ends in ${suffix}.` },
      );
    }
    if (
      !(await stat(dirname(path)).then(
        (stats) => stats.isDirectory(),
        () => false,
      ))
    ) {
      throw noFolder(dirname(path), to);
    }
    for (const name of [path, digestOf(path)]) if (await exists(name)) throw alreadyThere(name);
    return new ExportTarget(path, id);
  }

  /** The digest file beside it. */
  get digestPath(): string {
    return digestOf(this.path);
  }

  /**
   * Writes both files; on any failure neither is left.
   *
   * @param check judges the digest of what was written, and perhaps the bytes, before they get their name
   */
  async write(
    bytes: ByteStream,
    check: (digest: ByteDigest, stored: () => Promise<ByteStream>) => unknown,
    { signal }: OpOptions,
  ): Promise<ByteDigest> {
    const partial = this.#partial;
    try {
      // A crash may have left one, which is nobody's any more.
      await rm(partial, { force: true });
      const hashed = new HashedStream(bytes);
      await writeNewFile(partial, hashed, { signal, mode: 0o600 });
      const { digest } = hashed;
      await check(digest, async () => readChunks(partial));
      await this.#publish(partial, digest);
      return digest;
    } catch (error) {
      if (errnoOf(error) === "EEXIST") throw alreadyThere(this.path);
      throw fromSystemError(error, `The bundle ${this.path} cannot be written`);
    } finally {
      await unlink(partial).catch(() => undefined);
    }
  }

  /** The digest first: a crash in between leaves a digest alone, never a bundle that fails its check. */
  async #publish(partial: string, { sha256 }: ByteDigest): Promise<void> {
    await writeNewFile(this.digestPath, streamOf(`${sha256}\n`));
    const ours = await lstat(partial, { bigint: true });
    try {
      await publishFile(partial, this.path);
    } catch (error) {
      // It may have got its name before the failure. Whoever else has that name keeps it.
      const there = await lstat(this.path, { bigint: true }).catch(() => undefined);
      if (there?.ino === ours.ino && there.dev === ours.dev) await unlink(this.path).catch(() => undefined);
      await unlink(this.digestPath).catch(() => undefined);
      throw error;
    }
  }
}

function digestOf(path: string): string {
  return `${path}.sha256`;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function alreadyThere(path: string): KeepsakeError {
  return new KeepsakeError("E_ALREADY_EXISTS", `${path} exists; nothing is overwritten.`, { context: { path } });
}

function noFolder(folder: string, to: string): KeepsakeError {
  return new KeepsakeError("E_NOT_FOUND", `There is no folder ${folder}.`, {
    context: { to },
    hint: "Make it first: an export makes no folders.",
  });
}
