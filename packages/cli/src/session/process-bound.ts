import type { Keepsake } from "@keepsake/runtime";
import type { CommandContext } from "../context.js";
import { printable } from "../output/printable.js";

/** A command is a process of its own: it would say "No snapshots." of what the one before has just taken. */
export function warnOfProcessBound({ output }: CommandContext, keepsake: Keepsake): void {
  for (const { kind, name } of keepsake.processBound()) {
    const what =
      kind === "store"
        ? `The store ${name} is the memory of this process: what this command puts there is gone when it ends, and the next one finds nothing.`
        : `The locks (${name}) are in the memory of this process: they keep no other command out.`;
    output.warn(printable(`${what} That is for programs; a command needs another, such as local-fs.`));
  }
}
