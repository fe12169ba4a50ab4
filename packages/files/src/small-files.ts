import { type FileHandle, open } from "node:fs/promises";
import { type ByteStream, streamOf } from "@keepsake/core/basics";
import { writeAll } from "./durable.js";

/** So many bytes of small files are held in memory; what is more lies one after the other in one file. */
const IN_MEMORY_BYTES = 16 * 1024 * 1024;

/** Keeps the bytes of many small files without a file for each of them: a file costs far more than its bytes. */
export class SmallFiles implements AsyncDisposable {
  readonly #path: string;
  #inMemory = 0;
  #spill: Promise<FileHandle> | undefined;
  #end = 0;

  /** @param path a private path, for what is too much for memory; used only then */
  constructor(path: string) {
    this.#path = path;
  }

  async keep(bytes: Buffer): Promise<KeptBytes> {
    if (this.#inMemory + bytes.length <= IN_MEMORY_BYTES) {
      this.#inMemory += bytes.length;
      return { stream: () => streamOf(bytes), release: () => void (this.#inMemory -= bytes.length) };
    }
    const start = this.#end;
    this.#end += bytes.length;
    const file = await (this.#spill ??= open(this.#path, "wx+", 0o600));
    await writeAll(file, bytes, start);
    return { stream: () => readBack(file, start, bytes.length), release: () => undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const spill = this.#spill;
    this.#spill = undefined;
    await (await spill?.catch(() => undefined))?.close();
  }
}

/** Bytes that were kept. */
export interface KeptBytes {
  stream(): ByteStream;
  /** says that they are not needed any more */
  release(): void;
}

async function* readBack(file: FileHandle, start: number, length: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, start + read);
    if (bytesRead === 0) throw new TypeError("what was kept is not there any more");
    read += bytesRead;
  }
  yield bytes;
}
