import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { inject, injectable } from "tsyringe";
import { JOURNAL_PATH, type JournalPath } from "./tokens.js";

/** Appends whole lines to one file. */
@injectable()
export class JournalFile {
  readonly #path: string;

  constructor(@inject(JOURNAL_PATH) { baseDir, file }: JournalPath) {
    this.#path = resolve(baseDir, file);
  }

  /** The line is on the disk when this resolves. */
  async append(line: string): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const handle = await open(this.#path, "a", 0o600);
    try {
      await handle.appendFile(`${line}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
