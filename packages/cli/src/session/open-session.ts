import { KeepsakeError } from "@keepsake/core";
import type { MemorySnapshotter } from "@keepsake/engine";
import type { CommandContext } from "../context.js";
export interface Session extends AsyncDisposable {
  readonly keepsake: MemorySnapshotter;
}
export async function openSession(_c: CommandContext, _l?: (write: () => void) => void): Promise<Session> {
  throw new KeepsakeError("E_INTERNAL", "not yet");
}
