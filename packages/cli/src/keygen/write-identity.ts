import { open } from "node:fs/promises";
import { fromSystemError } from "@keepsake/core";

/**
 * Writes an identity file that only its owner can read, and has it on the disk before anything is encrypted to it.
 *
 * @throws KeepsakeError `E_ALREADY_EXISTS`: an identity is never overwritten, what was encrypted to it would be lost
 */
export async function writeIdentity(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fromSystemError(error, `The identity file ${JSON.stringify(path)} could not be written`, { path });
  }
}
