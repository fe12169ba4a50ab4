import { type LastSnapshot, LastSnapshotFile } from "./last-snapshot.js";
import { canBeTaken, isEncrypted, type MemoOrder } from "./memo-order.js";
import { sealingOf } from "./sealing.js";

/** What is remembered, and of what is encrypted a second file with all that only those with a key may know. */
export class MemoFiles {
  readonly #outline: LastSnapshotFile;
  readonly #sealed: LastSnapshotFile;
  readonly #seals: boolean;

  constructor(order: MemoOrder) {
    const { stateRoot, ref, codecs, decoders } = order;
    this.#outline = new LastSnapshotFile(stateRoot, ref);
    this.#sealed = new LastSnapshotFile(stateRoot, ref, sealingOf(codecs, decoders));
    this.#seals = isEncrypted(codecs) && canBeTaken(order);
  }

  /** @returns undefined when it is of another memory or store */
  async read({ store, memory }: MemoOrder): Promise<LastSnapshot | undefined> {
    const outline = await this.#outline.read();
    if (outline?.store !== store.id || outline.memory !== memory) return undefined;
    const all = this.#seals ? await this.#sealed.read() : undefined;
    return all?.id === outline.id ? { ...all, unread: outline.unread } : outline;
  }

  async write(last: LastSnapshot): Promise<void> {
    if (this.#seals) await this.#sealed.write(last);
    else await this.#sealed.forget();
    await this.#outline.write(this.#seals ? { ...last, files: {}, segments: [] } : last);
  }

  async forget(): Promise<void> {
    await this.#outline.forget();
    await this.#sealed.forget();
  }
}
