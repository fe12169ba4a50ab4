import { posix } from "node:path";
import { type ArtifactMeta, KeepsakeError } from "@keepsake/core";

/**
 * Refuses a symbolic link that leads out of its source's folder, judged by its text alone.
 *
 * @throws KeepsakeError `E_UNSAFE_PATH`
 */
export function checkLink({ pathInBundle, linkTarget = "" }: ArtifactMeta): void {
  const root = `${pathInBundle.split("/", 1)[0] ?? ""}/`;
  const landing = `${posix.join(posix.dirname(pathInBundle), linkTarget)}/`;
  const odd = linkTarget === "" || linkTarget.includes("\0") || linkTarget.includes("\\");
  if (!odd && !linkTarget.startsWith("/") && landing.startsWith(root)) return;
  throw new KeepsakeError("E_UNSAFE_PATH", `The link ${JSON.stringify(pathInBundle)} leads out of its folder.`, {
    context: { path: pathInBundle },
  });
}
