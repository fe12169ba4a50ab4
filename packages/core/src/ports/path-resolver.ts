import type { AgentRef } from "../ids/names.js";
import type { AgentPaths } from "./options.js";

/** Says where an agent's memory lives. Pure; touches no file. */
export interface PathResolver {
  /** @throws KeepsakeError `E_UNKNOWN_AGENT` when nothing says where this agent's memory is */
  resolve(agent: AgentRef): AgentPaths;
}
