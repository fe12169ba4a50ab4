import { type AgentRef, NOBODY, parseAgentId, parseTenantId } from "@keepsake/core";

/** The tenant of a request that names none. */
export const DEFAULT_TENANT = "default";

/** @throws KeepsakeError `E_INVALID_ID` */
export function agentRefOf(request: { readonly agent: string; readonly tenant?: string | undefined }): AgentRef {
  return { tenant: parseTenantId(request.tenant ?? DEFAULT_TENANT), agent: parseAgentId(request.agent) };
}

/** Where no agent is asked about. @throws KeepsakeError `E_INVALID_ID` */
export function nobodyOf(request: { readonly tenant?: string | undefined }): AgentRef {
  return { tenant: parseTenantId(request.tenant ?? DEFAULT_TENANT), agent: NOBODY };
}
