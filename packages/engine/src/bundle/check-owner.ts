import { type AgentRef, KeepsakeError, type Manifest } from "@keepsake/core";

/** @throws KeepsakeError `E_WRONG_TENANT`, `E_WRONG_AGENT` */
export function checkOwner(manifest: Manifest, ref: AgentRef): void {
  const context = {
    found_tenant: manifest.tenant,
    found_agent: manifest.agentId,
    tenant: ref.tenant,
    agent: ref.agent,
  };
  if (manifest.tenant !== ref.tenant) {
    throw new KeepsakeError("E_WRONG_TENANT", `The bundle belongs to the tenant ${JSON.stringify(manifest.tenant)}.`, {
      context,
    });
  }
  if (manifest.agentId !== ref.agent) {
    throw new KeepsakeError("E_WRONG_AGENT", `The bundle belongs to the agent ${JSON.stringify(manifest.agentId)}.`, {
      context,
    });
  }
}
