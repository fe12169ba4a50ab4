import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { z } from "zod";

/** What is remembered from one snapshot to the next, in a private place. It is a cache: without it everything is looked at. */
export class CacheFile<T> {
  readonly #path: string;
  readonly #schema: z.ZodType<T>;

  constructor(path: string, schema: z.ZodType<T>) {
    this.#path = path;
    this.#schema = schema;
  }

  /** @returns undefined where there is none that can be used */
  async read(): Promise<T | undefined> {
    try {
      return this.#schema.safeParse(JSON.parse(await readFile(this.#path, "utf8"))).data;
    } catch {
      return undefined;
    }
  }

  /** The last writer wins; one that a crash cut off is no JSON. @throws the system error */
  async write(content: T): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const partial = `${this.#path}.partial`;
    await writeFile(partial, JSON.stringify(content), { mode: 0o600 });
    await rename(partial, this.#path);
  }

  /** Never fails: what cannot be removed is not believed either. */
  async forget(): Promise<void> {
    await rm(this.#path, { force: true }).catch(() => undefined);
  }
}
