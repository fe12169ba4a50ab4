import { KeepsakeError } from "@keepsake/core";

/** What decoding may still yield. */
export class OutputBudget {
  readonly #maxBytes: number;
  #left: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#left = maxBytes;
  }

  /** @throws KeepsakeError `E_LIMIT` when that many bytes are not left */
  require(bytes: number): void {
    if (bytes <= this.#left) return;
    throw new KeepsakeError(
      "E_LIMIT",
      `Decompressed, this is more than the ${this.#maxBytes} bytes that are allowed.`,
      {
        context: { max_output_bytes: this.#maxBytes },
      },
    );
  }

  /** @throws KeepsakeError `E_LIMIT` when that many bytes are not left */
  spend(bytes: number): void {
    this.require(bytes);
    this.#left -= bytes;
  }
}
