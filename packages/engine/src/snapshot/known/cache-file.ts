import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { z } from "zod";

/** Makes bytes unreadable without a key, and readable again. */
export interface Sealing {
  seal(bytes: Uint8Array): Promise<Uint8Array>;
  /** @throws where there is no key that fits */
  open(sealed: Uint8Array): Promise<Uint8Array>;
}

/** What is remembered from one snapshot to the next, in a private place. It is a cache: without it everything is looked at. */
export class CacheFile<T> {
  readonly #path: string;
  readonly #schema: z.ZodType<T>;
  readonly #sealing: Sealing | undefined;

  /** @param sealing absent: it may be read by whoever can read the file */
  constructor(path: string, schema: z.ZodType<T>, sealing?: Sealing) {
    this.#path = path;
    this.#schema = schema;
    this.#sealing = sealing;
  }

  /** @returns undefined where there is none that can be used */
  async read(): Promise<T | undefined> {
    try {
      const bytes = await readFile(this.#path);
      const text = Buffer.from((await this.#sealing?.open(bytes)) ?? bytes).toString("utf8");
      return this.#schema.safeParse(JSON.parse(text)).data;
    } catch {
      return undefined;
    }
  }

  /** The last writer wins; one that a crash cut off is no JSON. @throws the system error, what sealing failed with */
  async write(content: T): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const partial = `${this.#path}.partial`;
    const bytes = Buffer.from(JSON.stringify(content));
    await writeFile(partial, (await this.#sealing?.seal(bytes)) ?? bytes, { mode: 0o600 });
    await rename(partial, this.#path);
  }

  /** Never fails: what cannot be removed is not believed either. */
  async forget(): Promise<void> {
    await rm(this.#path, { force: true }).catch(() => undefined);
  }
}
