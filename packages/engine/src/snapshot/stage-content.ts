import { chmod, link, lstat, readFile } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import {
  abortable,
  type ByteDigest,
  type ByteStream,
  digestOf,
  type FileEntry,
  HashedStream,
  KeepsakeError,
  sha256Hex,
  streamOf,
} from "@keepsake/core";
import { type KeptBytes, readChunks, writeNewFile } from "@keepsake/files";
import type { RecalledFile } from "./open-sessions.js";
import type { PrivateStaging } from "./private-staging.js";

/** So much of a file is kept without a file of its own. */
const MAX_SMALL_BYTES = 256 * 1024;

/** Staged bytes of one file: in a file of ours, kept among the small ones, or where they were at the last snapshot. */
export interface StagedContent {
  readonly digest: ByteDigest;
  readonly file?: string | undefined;
  readonly kept?: KeptBytes | undefined;
  readonly recall?: (() => Promise<Buffer>) | undefined;
}

/** Takes the bytes of a source's files into private staging, and hashes them on the way. */
export class ContentStager {
  readonly #staging: PrivateStaging;
  readonly #source: string;
  readonly #keepsSmall: boolean;
  readonly #known: ReadonlyMap<string, RecalledFile> | undefined;
  readonly #signal: AbortSignal | undefined;
  #folder: string | undefined;
  #files = 0;

  /** @param options `keepsSmall`: whether small files need no file of their own; `known`: what need not be read */
  constructor(
    staging: PrivateStaging,
    source: string,
    options: {
      readonly keepsSmall: boolean;
      readonly known?: ReadonlyMap<string, RecalledFile> | undefined;
      readonly signal: AbortSignal | undefined;
    },
  ) {
    this.#staging = staging;
    this.#source = source;
    this.#keepsSmall = options.keepsSmall;
    this.#known = options.known;
    this.#signal = options.signal;
  }

  /** @returns at once where nothing has to be waited for */
  stage({ content, path }: FileEntry): StagedContent | Promise<StagedContent> {
    if ("file" in content) return this.#takeOver(content.file, path);
    if ("stream" in content) return this.#takeStream(content.stream);
    if ("known" in content) return this.#recall(path);
    const isSmall = this.#keepsSmall && content.bytes.length <= MAX_SMALL_BYTES;
    return isSmall ? this.#keep(content.bytes) : this.#write(streamOf(content.bytes));
  }

  #recall(path: string): StagedContent {
    const known = this.#known?.get(path);
    if (known !== undefined) {
      const { sizeBytes, sha256, recall } = known;
      return { digest: { sizeBytes, sha256 }, recall };
    }
    const sentence = `The source ${this.#source} says that a file is known which is not.`;
    throw new KeepsakeError("E_PLUGIN_FAILED", sentence, { context: { source: this.#source, path } });
  }

  async #takeStream(stream: ByteStream): Promise<StagedContent> {
    if (!this.#keepsSmall) return await this.#write(stream);
    const begun = await begin(abortable(stream, this.#signal), MAX_SMALL_BYTES);
    return "whole" in begun ? this.#keep(begun.whole) : await this.#write(begun.stream);
  }

  #keep(bytes: Uint8Array): StagedContent {
    const digest = { sizeBytes: bytes.length, sha256: sha256Hex(bytes) };
    return { digest, kept: this.#staging.small.keep(bytes) };
  }

  async #write(stream: ByteStream): Promise<StagedContent> {
    const file = await this.#nextFile();
    const hashed = new HashedStream(stream);
    await writeNewFile(file, hashed, { sync: false, signal: this.#signal });
    return { file, digest: hashed.digest };
  }

  /** Gives a handed-over file a name of our own: the session may read it until it is disposed, and then remove its own. */
  async #takeOver(from: string, path: string): Promise<StagedContent> {
    const inside = relative(this.#staging.dir, from);
    const stats = inside.startsWith("..") || isAbsolute(inside) ? undefined : await lstat(from);
    if (stats?.isFile() !== true) {
      const sentence = `The source ${this.#source} handed over a file outside its scratch directory.`;
      throw new KeepsakeError("E_PLUGIN_FAILED", sentence, { context: { source: this.#source, path } });
    }
    if (this.#keepsSmall && stats.size <= MAX_SMALL_BYTES) return this.#keep(await readFile(from));
    const file = await this.#nextFile();
    await chmod(from, 0o600);
    await link(from, file);
    return { file, digest: await digestOf(readChunks(file, 1 << 20)) };
  }

  async #nextFile(): Promise<string> {
    this.#folder ??= await this.#staging.folder(`stage-${this.#source}`);
    return join(this.#folder, String(this.#files++));
  }
}

/** Reads a stream until it has ended, or has turned out to be longer than `limit`. */
async function begin(
  stream: ByteStream,
  limit: number,
): Promise<{ readonly whole: Buffer } | { readonly stream: ByteStream }> {
  const iterator = stream[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  for (let length = 0; length <= limit; ) {
    const next = await iterator.next();
    if (next.done === true) return { whole: Buffer.concat(chunks) };
    chunks.push(next.value);
    length += next.value.length;
  }
  return { stream: resumed(chunks, iterator) };
}

async function* resumed(begun: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isOver = false;
  try {
    yield* begun;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
    isOver = true;
  } finally {
    if (!isOver) await rest.return?.();
  }
}
