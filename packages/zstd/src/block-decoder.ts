import { KeepsakeError } from "@keepsake/core";
import { Decompress } from "fzstd";
import { type FrameHeader, plainHeader } from "./frame-header.js";
import type { Block } from "./frame-reader.js";

/**
 * Decodes the blocks of one frame, one at a time, in JavaScript. Its memory is the frame's window.
 *
 * fzstd is given a header of our own, without size and checksum: it reads the size wrongly beyond 32 bits and does not
 * verify the checksum; both are the caller's business.
 */
export class BlockDecoder {
  readonly #decoder: Decompress;
  #output: Uint8Array[] = [];

  constructor(header: FrameHeader) {
    this.#decoder = new Decompress((content) => {
      if (content.length > 0) this.#output.push(content);
    });
    this.#push(plainHeader(Math.min(header.windowBytes, header.contentBytes ?? header.windowBytes)), false);
  }

  /**
   * @returns what could be decoded; a short first block may wait for the next one
   * @throws KeepsakeError `E_INTEGRITY`
   */
  decode(block: Block): readonly Uint8Array[] {
    this.#push(block.bytes, block.isLast);
    const output = this.#output;
    this.#output = [];
    return output;
  }

  #push(bytes: Uint8Array, isLast: boolean): void {
    try {
      this.#decoder.push(bytes, isLast);
    } catch (error) {
      throw new KeepsakeError("E_INTEGRITY", "A zstd block is damaged.", { cause: error });
    }
  }
}
