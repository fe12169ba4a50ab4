import { resolve } from "node:path";
import type { AgentRequest, LiveAgentRequest } from "@keepsake/engine";
import type { CommandContext } from "../context.js";
import type { AgentOption, MemoryOption } from "../grammar/options.js";

/** The agent that a command is about. */
export function agentRequest(context: CommandContext, { agent }: AgentOption): AgentRequest {
  return { agent, tenant: context.global.tenant };
}

/** The agent whose live memory a command is about; `--memory` is relative to the working directory. */
export function liveAgentRequest(context: CommandContext, options: AgentOption & MemoryOption): LiveAgentRequest {
  const { memory } = options;
  return {
    ...agentRequest(context, options),
    memory: memory === undefined ? undefined : resolve(context.terminal.cwd, memory),
  };
}
