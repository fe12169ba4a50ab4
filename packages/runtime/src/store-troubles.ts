import type { StoreTrouble, TellTrouble } from "@keepsake/core";

/** Collects what went wrong in parts of stores although the operations succeeded; each once, however often it was met. */
export class StoreTroubles {
  readonly #troubles = new Map<string, StoreTrouble>();

  readonly tell: TellTrouble = (trouble) => {
    const name = JSON.stringify([trouble.store, trouble.code]);
    if (!this.#troubles.has(name)) this.#troubles.set(name, trouble);
  };

  /** What was told since the last call. */
  take(): readonly StoreTrouble[] {
    const taken = [...this.#troubles.values()];
    this.#troubles.clear();
    return taken;
  }
}
