import { type AgentRef, type ArtifactPath, isSnapshotId, parseArtifactPath, type SnapshotId } from "@keepsake/core";

/** Where the snapshots of all agents lie in a store. */
export const TENANTS_PREFIX = "tenants/";

/** What every key of one agent begins with. */
export function agentPrefix({ tenant, agent }: AgentRef): string {
  return `${TENANTS_PREFIX}${tenant}/snapshots/${agent}/`;
}

export function recordKey(ref: AgentRef, id: SnapshotId): ArtifactPath {
  return parseArtifactPath(`${agentPrefix(ref)}${id}.json`);
}

/** @param suffix what the codecs append: ".zst.age", or "" */
export function bundleKey(ref: AgentRef, id: SnapshotId, suffix: string): ArtifactPath {
  return parseArtifactPath(`${agentPrefix(ref)}${id}.tar${suffix}`);
}

/** The key of a bundle's digest. */
export function digestKey(bundle: string): ArtifactPath {
  return parseArtifactPath(`${bundle}.sha256`);
}

/** What a store key is, or undefined for one that is not ours. */
export interface KeyParts {
  readonly tenant: string;
  readonly agent: string;
  readonly id: SnapshotId;
  readonly part: "record" | "bundle" | "digest";
}

const KEY = /^tenants\/([^/]+)\/snapshots\/([^/]+)\/([0-9a-f-]{36})\.(json|tar(?:\.[A-Za-z0-9_-]+)*)$/;

export function parseKey(key: string): KeyParts | undefined {
  const match = KEY.exec(key);
  if (match === null) return undefined;
  const [, tenant = "", agent = "", id = "", rest = ""] = match;
  if (!isSnapshotId(id)) return undefined;
  if (rest === "json") return { tenant, agent, id, part: "record" };
  return { tenant, agent, id, part: rest.endsWith(".sha256") ? "digest" : "bundle" };
}

/** The name of an agent's lock. */
export function lockName({ tenant, agent }: AgentRef): ArtifactPath {
  return parseArtifactPath(`agents/${tenant}/${agent}`);
}
