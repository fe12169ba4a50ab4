import type { CommandRun } from "../context.js";
import type { NoOptions } from "../grammar/options.js";
export const configCheck: CommandRun<NoOptions> = async () => 0;
