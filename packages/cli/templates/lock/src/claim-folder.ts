import { randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "@keepsake/core";
import { ownIdentity, type ProcessIdentity } from "@keepsake/files";

/** Who took a lock, as the file of a claim says it. */
export interface Claim {
  /** grows with every claim of a lock: the fencing token */
  readonly number: number;
  /** undefined where the file cannot be understood: then nobody may take it for free */
  readonly holder: ProcessIdentity | undefined;
  readonly isReleased: boolean;
}

/**
 * The claims of one lock: files named 1, 2, 3, …, of which the highest counts, and `<number>.released` beside one that is
 * over. The highest is never removed, so that numbers never begin anew.
 */
export class ClaimFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async make(): Promise<void> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
  }

  async newest(): Promise<Claim | undefined> {
    for (;;) {
      const names = await this.#names();
      const number = Math.max(0, ...numbersIn(names));
      if (number === 0) return undefined;
      const isReleased = names.includes(`${String(number)}.released`);
      try {
        return { number, isReleased, holder: holderOf(await readFile(this.#fileOf(number), "utf8")) };
      } catch (error) {
        // Another claim came, whose holder tidied up: look again.
        if (errnoOf(error) !== "ENOENT") throw error;
      }
    }
  }

  /** Claims the lock under this number; undefined when somebody else was faster. */
  async claim(number: number): Promise<number | undefined> {
    const partial = join(this.#path, `${randomUUID()}.partial`);
    await writeFile(partial, JSON.stringify(ownIdentity()), { flag: "wx", mode: 0o600 });
    try {
      // `link` fails on a name that exists, and shows the file with all that is in it.
      await link(partial, this.#fileOf(number));
    } catch (error) {
      if (errnoOf(error) === "EEXIST") return undefined;
      throw error;
    } finally {
      await rm(partial, { force: true });
    }
    const numbers = numbersIn(await this.#names());
    if (Math.max(...numbers) > number) {
      // We had looked long ago: meanwhile this number came, went and was tidied up.
      await rm(this.#fileOf(number), { force: true });
      return undefined;
    }
    for (const old of numbers.filter((one) => one < number)) {
      await rm(this.#fileOf(old), { force: true });
      await rm(`${this.#fileOf(old)}.released`, { force: true });
    }
    return number;
  }

  /** Ends a claim. Only this one: whoever has the lock by then keeps it. */
  async release(number: number): Promise<void> {
    const names = await this.#names();
    if (names.includes(String(number))) await writeFile(`${this.#fileOf(number)}.released`, "");
  }

  async isHeld(number: number): Promise<boolean> {
    const names = await this.#names();
    return Math.max(0, ...numbersIn(names)) === number && !names.includes(`${String(number)}.released`);
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#path);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  #fileOf(number: number): string {
    return join(this.#path, String(number));
  }
}

function numbersIn(names: readonly string[]): number[] {
  return names.filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
}

function holderOf(text: string): ProcessIdentity | undefined {
  try {
    const { host, pid, startedAt } = JSON.parse(text) as Partial<ProcessIdentity>;
    return host === undefined || pid === undefined || startedAt === undefined ? undefined : { host, pid, startedAt };
  } catch {
    return undefined;
  }
}
