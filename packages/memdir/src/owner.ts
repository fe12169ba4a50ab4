import type { Owner } from "@keepsake/files";
import type { LiveNode, LiveTree } from "./live-tree.js";
import { parentKey } from "./plan-steps.js";

/** Where owners are looked up. */
export interface OwnersInput {
  readonly live: LiveTree;
  readonly rootNode: LiveNode | undefined;
  /** true when this process is root's */
  readonly isRoot: boolean;
}

/** As root, files get the owner of what they replace, or of the folder they come into: the agent must be able to read them. */
export function ownerFor(key: string, { live, rootNode, isRoot }: OwnersInput): Owner | undefined {
  if (!isRoot) return undefined;
  for (let at = key; at !== ""; at = parentKey(at)) {
    const stats = live.nodes.get(at)?.stats;
    if (stats !== undefined) return { uid: stats.uid, gid: stats.gid };
  }
  return rootNode === undefined ? undefined : { uid: rootNode.stats.uid, gid: rootNode.stats.gid };
}
