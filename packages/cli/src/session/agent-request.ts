import { resolve } from "node:path";
import type { AgentRequest } from "@keepsake/engine";
import type { CommandContext } from "../context.js";
import type { AgentOption, MemoryOption } from "../grammar/options.js";

/** The agent that a command is about; `--memory` is relative to the working directory. */
export function agentRequest(context: CommandContext, options: AgentOption & MemoryOption): AgentRequest {
  const { memory, agent } = options;
  return {
    agent,
    tenant: context.global.tenant,
    memory: memory === undefined ? undefined : resolve(context.terminal.cwd, memory),
  };
}
