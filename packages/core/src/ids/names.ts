import { KeepsakeError } from "../errors/keepsake-error.js";

declare const agentBrand: unique symbol;
declare const tenantBrand: unique symbol;

/** A validated agent name, safe as a path segment. */
export type AgentId = string & { readonly [agentBrand]: true };
/** A validated tenant name, safe as a path segment. */
export type TenantId = string & { readonly [tenantBrand]: true };

/** One agent of one tenant. */
export interface AgentRef {
  readonly tenant: TenantId;
  readonly agent: AgentId;
}

/** 1 to 64 of `a-z 0-9 _ -`; neither the first nor the last may be `_` or `-`. */
const NAME = /^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/;
// Names that Windows reserves for devices: a directory of that name could not be made there.
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$/;

function checkName(what: "agent" | "tenant", value: string): void {
  if (NAME.test(value) && !DEVICE.test(value)) return;
  throw new KeepsakeError("E_INVALID_ID", `The ${what} id ${JSON.stringify(value.slice(0, 80))} is not valid.`, {
    context: { what },
    hint: "Use 1 to 64 of [a-z0-9_-]; it may not begin or end with _ or -, nor be a reserved device name.",
  });
}

/** @throws KeepsakeError `E_INVALID_ID` */
export function parseAgentId(value: string): AgentId {
  checkName("agent", value);
  return value as AgentId;
}

/** Stands where there is no agent. It is no agent's id, and no parser gives it: those do not begin with `_`. */
export const NOBODY = "_nobody" as AgentId;

/** @throws KeepsakeError `E_INVALID_ID` */
export function parseTenantId(value: string): TenantId {
  checkName("tenant", value);
  return value as TenantId;
}
