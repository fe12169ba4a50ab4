import type { Command } from "commander";
import type { CommandRun } from "../context.js";

/**
 * Binds a command of the grammar to what it does, which is loaded when it runs.
 * `Options` is what the grammar gives it; the two are kept together in the grammar files.
 */
export type Bind = <Options>(command: Command, load: () => Promise<CommandRun<Options>>) => void;
