import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type AgentRef, fromSystemError } from "@keepsake/core";
import { SmallFiles } from "@keepsake/files";
import { namesIn } from "./names-in.js";

/**
 * A private directory (0700) below the state root for one operation on one agent. It may hold plaintext: it is removed
 * when the operation ends, and what a crash left is removed by the next operation that holds the agent's lock.
 */
export class PrivateStaging implements AsyncDisposable {
  readonly dir: string;
  #folders = 0;
  #small: SmallFiles | undefined;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** @param operationId `[a-z0-9-]`, unique */
  static async make(stateRoot: string, ref: AgentRef, operationId: string): Promise<PrivateStaging> {
    const dir = join(placeOf(stateRoot, ref), operationId);
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw fromSystemError(error, `The staging directory below ${stateRoot} cannot be made`);
    }
    return new PrivateStaging(dir);
  }

  /**
   * Removes what earlier operations on this agent left. The caller holds the agent's lock, so nobody is using it.
   *
   * @param keep operation ids that a journal still needs
   * @throws KeepsakeError `E_IO`, `E_PERMISSION` or `E_READ_ONLY` with the folder, which stays
   */
  static async sweep(stateRoot: string, ref: AgentRef, keep: ReadonlySet<string> = new Set()): Promise<string[]> {
    const place = placeOf(stateRoot, ref);
    const swept: string[] = [];
    for (const name of await namesIn(place)) {
      if (keep.has(name)) continue;
      const path = join(place, name);
      try {
        await rm(path, { recursive: true, force: true });
      } catch (error) {
        throw fromSystemError(error, `The staging directory ${path} that a crash left cannot be removed`, { path });
      }
      swept.push(path);
    }
    return swept;
  }

  /** A new empty private folder in it. */
  async folder(name: string): Promise<string> {
    const dir = join(this.dir, `${String(this.#folders++)}-${name}`);
    try {
      await mkdir(dir, { mode: 0o700 });
    } catch (error) {
      throw fromSystemError(error, "A staging directory cannot be made");
    }
    return dir;
  }

  /** Where the bytes of small files are, which nobody needs as files. */
  get small(): SmallFiles {
    return (this.#small ??= new SmallFiles(join(this.dir, `${String(this.#folders++)}-small`)));
  }

  /** Removes what is in it, so that another attempt begins with the same free space. */
  async clear(): Promise<void> {
    this.#closeSmall();
    for (const name of await readdir(this.dir)) await rm(join(this.dir, name), { recursive: true, force: true });
  }

  /** Never fails what was done: what cannot be removed now, the agent's next operation removes, or fails saying so. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closeSmall();
    await rm(this.dir, { recursive: true, force: true }).catch(() => undefined);
  }

  #closeSmall(): void {
    const small = this.#small;
    this.#small = undefined;
    small?.[Symbol.dispose]();
  }
}

function placeOf(stateRoot: string, { tenant, agent }: AgentRef): string {
  return join(stateRoot, "staging", tenant, agent);
}
