import { basename } from "node:path";
import { parseAgentId } from "@keepsake/core";

/** An agent name made of a directory's: lower case, other characters as dashes. "agent" where nothing is left. */
export function agentNameOf(directory: string): string {
  const name = basename(directory)
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .slice(0, 64)
    .replace(/^[_-]+|[_-]+$/g, "");
  try {
    return parseAgentId(name);
  } catch {
    return "agent";
  }
}
